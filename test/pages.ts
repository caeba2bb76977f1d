import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

/** A page that people read. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** The README, what stands beside it, and everything under docs/. */
export const PAGES: readonly Page[] = [
  'README.md',
  'CONTRIBUTING.md',
  'native-bench/README.md',
  'ops/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path)),
]
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

/** The text of one page. */
export function pageAt(path: string): string {
  const page = PAGES.find((candidate) => candidate.path === path);
  if (page === undefined) throw new Error(`there is no page ${path}`);
  return page.text;
}

/** What all pages say of something, each saying with its page. */
export function sayings(form: RegExp): { readonly page: string; readonly said: RegExpExecArray }[] {
  return PAGES.flatMap(({ path, text }) => [...text.matchAll(form)].map((said) => ({ page: path, said })));
}

/** The code block that stands under this file name. */
export function codeBlock(path: string, fileName: string): string {
  const block = new RegExp(`^\`\`\`js ${fileName}\n([^]*?)^\`\`\`$`, 'm').exec(pageAt(path));
  if (block === null) throw new Error(`${path} has no ${fileName}`);
  return block[1]!;
}
