import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES, ROOT } from '../pages.ts';
import { ALERTS } from './manifests.ts';

const FOLDER = 'docs/runbooks/';
const RUNBOOKS = PAGES.filter(({ path }) => path.startsWith(FOLDER) && !path.endsWith('README.md'));
const SOURCE = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n');

describe('a runbook', () => {
  it('says how a fault looks, what the house does by itself, and what is left to do, in this order', () => {
    expect(RUNBOOKS.length).toBeGreaterThan(15);
    for (const { path, text } of RUNBOOKS) {
      const headings = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
      expect([path, headings]).toEqual([path, ['How it looks', 'What the house does', 'What to do']]);
    }
  });

  it('quotes lines of the log as they are written', () => {
    const said = RUNBOOKS.flatMap(({ path, text }) =>
      [...text.replaceAll(/\s*\n\s*/g, ' ').matchAll(/"(?:msg|why)":"([^"]+)"/g)].map(([, line = '']) => ({
        path,
        line,
      })),
    );
    expect(said.length).toBeGreaterThan(10);
    const unknown = said.filter(
      ({ line }) => !SOURCE.includes(`'${line}'`) && !SOURCE.includes(`'${line.replaceAll("'", '’')}'`),
    );
    expect(unknown).toEqual([]);
  });

  it('is in the list of runbooks', () => {
    const list = readFileSync(join(ROOT, FOLDER, 'README.md'), 'utf8');
    const unlisted = RUNBOOKS.filter(({ path }) => !list.includes(`](${path.slice(FOLDER.length)})`));
    expect(unlisted.map(({ path }) => path)).toEqual([]);
  });

  it('is where every alert leads, and names it', () => {
    for (const { alert, annotations } of ALERTS) {
      const text = RUNBOOKS.find(({ path }) => path === annotations.runbook_url)?.text;
      expect([alert, annotations.runbook_url, text]).toEqual([
        alert,
        annotations.runbook_url,
        expect.stringContaining(`\`${alert}\``),
      ]);
    }
  });
});
