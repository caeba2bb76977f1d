import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dialectsMarkdown } from '../../src/dialect/describe.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { oddDialect } from '../fakes/odd-dialect.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/dialects.md');
const TABLES = /<!-- dialects -->[^]*<!-- \/dialects -->/;

describe('the page of the dialects', () => {
  it('tells what they declare (out of date? npx vitest run test/dialect/describe.test.ts -u)', async () => {
    const page = readFileSync(PAGE, 'utf8');
    expect(page).toMatch(TABLES);
    const tables = `<!-- dialects -->\n\n${dialectsMarkdown(DIALECTS)}\n<!-- /dialects -->`;
    await expect(page.replace(TABLES, () => tables)).toMatchFileSnapshot(PAGE);
  });

  it('names each once in either table', () => {
    for (const { name } of DIALECTS) {
      expect(dialectsMarkdown(DIALECTS).match(new RegExp(`^\\| \`${name}\``, 'gm'))).toHaveLength(2);
    }
  });

  it('has a row for each among the providers, marked where its facts are second-hand', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/providers/README.md'), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| ['));
    for (const { name, capabilities } of DIALECTS) {
      const own = rows.filter((row) => row.split('|')[2]!.includes(`\`${name}\``));
      expect([name, own.length]).toEqual([name, 1]);
      expect([name, own[0]!.includes('*unverified*')]).toEqual([name, capabilities.unverified]);
    }
  });

  it('says what is unverified', () => {
    const doubtful = oddDialect({ capabilities: { unverified: true, marks: false, goaway: true } });
    const [, , row] = dialectsMarkdown([doubtful]).split('\n');
    expect(row).toContain('`odd` *unverified*');
    expect(row).toContain('by played time');
    expect(row).toContain('when told');
  });
});
