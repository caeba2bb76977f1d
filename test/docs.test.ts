import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsMarkdown } from '../src/config/describe.ts';
import { envNameOf, SETTING_KEYS } from '../src/config/settings.ts';
import { CALL_EVENT_TYPES, OPERATOR_EVENT_TYPES, RECORD_EVENT_TYPES } from '../src/events/catalogue.ts';
import { pageAt, PAGES, ROOT, sayings } from './pages.ts';

const PROGRAM = join(ROOT, 'bin/omnivoice.js');
const TABLE = /<!-- settings -->[^]*<!-- \/settings -->/;

// As GitHub makes them: lower case, no punctuation, blanks as hyphens, a number behind the second of a name.
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-');
    for (let number = 0; ; number++) {
      const anchor = number === 0 ? slug : `${slug}-${number}`;
      if (anchors.has(anchor)) continue;
      anchors.add(anchor);
      break;
    }
  }
  return anchors;
}

describe('the pages', () => {
  it('link to what is there, down to the heading', () => {
    const links = sayings(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
    expect(links.length).toBeGreaterThan(50);
    const dead = links.filter(({ page, said: [, target = '', anchor] }) => {
      const file = target === '' ? page : join(dirname(page), target);
      if (!existsSync(join(ROOT, file))) return true;
      if (anchor === undefined) return false;
      return !anchorsOf(readFileSync(join(ROOT, file), 'utf8')).has(anchor);
    });
    expect(dead.map(({ page, said }) => `${page}: ${said[0]}`)).toEqual([]);
  });

  it('name no source that is not there', () => {
    const named = sayings(/`((?:src|test|bin|regions|samples)\/[\w./-]+)`/g);
    expect(named.length).toBeGreaterThan(20);
    const missing = named.filter(({ said }) => !existsSync(join(ROOT, said[1]!)));
    expect(missing.map(({ page, said }) => `${page}: ${said[1]}`)).toEqual([]);
  });

  it('name no setting that is not one', () => {
    // A slip that the house corrects, and what the test suite alone reads.
    const known = [
      ...SETTING_KEYS.map(envNameOf),
      'OMNIVOICE_PROT',
      'OMNIVOICE_TEST_LEGS',
      'OMNIVOICE_TEST_LONG',
      'OMNIVOICE_TEST_SEED',
    ];
    const unknown = sayings(/\bOMNIVOICE_[A-Z_]*[A-Z]\b/g).filter(({ said }) => !known.includes(said[0]));
    expect(unknown.map(({ page, said }) => `${page}: ${said[0]}`)).toEqual([]);
  });

  it('tell of the settings there are (table out of date? npx vitest run test/docs.test.ts -u)', async () => {
    const path = join(ROOT, 'docs/configuration.md');
    expect(pageAt('docs/configuration.md')).toMatch(TABLE);
    const table = `<!-- settings -->\n${settingsMarkdown()}<!-- /settings -->`;
    await expect(readFileSync(path, 'utf8').replace(TABLE, () => table)).toMatchFileSnapshot(path);
  });

  it('show the rooms as the law of imports has them', () => {
    const law = readFileSync(join(ROOT, 'test/architecture.test.ts'), 'utf8');
    const rooms = [...law.matchAll(/^ {2}(\w+): \[(.*)\],$/gm)].filter(([, room]) =>
      existsSync(join(ROOT, 'src', room!)),
    );
    expect(rooms.length).toBeGreaterThan(10);
    const isRoom = (name: string): boolean => name === '*' || existsSync(join(ROOT, 'src', name));
    const rows = pageAt('docs/architecture.md').matchAll(/^\| `(\w+)` \|.*\| ([\w*, –]+) \|$/gm);
    const told = Object.fromEntries([...rows].map(([, room, may]) => [room, may]));
    for (const [, room = '', list = ''] of rooms) {
      const may = [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name!).filter(isRoom);
      expect([room, told[room]]).toEqual([room, may.length === 0 ? '–' : may.join(', ')]);
    }
  });

  it('tell of no event that is not in the catalogue', () => {
    const types = [...pageAt('docs/events.md').matchAll(/^## `([\w.]+)`$/gm)].map((match) => match[1]);
    expect(types.length).toBeGreaterThan(5);
    const known: readonly string[] = [...CALL_EVENT_TYPES, ...OPERATOR_EVENT_TYPES, ...RECORD_EVENT_TYPES];
    expect(types.filter((type) => !known.includes(type!))).toEqual([]);
  });

  it('are all in reach of the README', () => {
    const reached = new Set<string>();
    const follow = (path: string): void => {
      const file = statSync(join(ROOT, path)).isDirectory() ? join(path, 'README.md') : path;
      if (reached.has(file) || !file.endsWith('.md')) return;
      reached.add(file);
      for (const [, target] of pageAt(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
        follow(relative(ROOT, resolve(ROOT, dirname(file), target!)));
      }
    };
    follow('README.md');
    expect(PAGES.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe('the commands that are shown', () => {
  const helps = new Map<string, string>();

  function helpOf(words: readonly string[]): string {
    const name = words.join(' ');
    const known = helps.get(name);
    if (known !== undefined) return known;
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words, '--help'], {
      encoding: 'utf8',
    });
    const help = status === 0 ? stdout : `exit code ${status}: ${stderr}`;
    helps.set(name, help);
    return help;
  }

  it('exist, with every flag', () => {
    const commands = [
      ...new Set([...helpOf([]).matchAll(/^ {2}([a-z][a-z-]*) /gm)].map((match) => match[1]!)),
    ];
    expect(commands).toEqual(expect.arrayContaining(['serve', 'call', 'listen', 'keys']));
    const shown = sayings(/(?:npx omnivoice|node bin\/omnivoice\.js|`omnivoice|\$ omnivoice) ([^`\n\\)]+)/g);
    expect(shown.length).toBeGreaterThan(10);
    const wrong = shown.flatMap(({ page, said }) =>
      mistakesIn(said[1]!, commands).map((mistake) => `${page}: ${mistake}`),
    );
    expect(wrong).toEqual([]);
  }, 60_000);

  it('have the flags that are told of by themselves', () => {
    const all = ['serve', 'control', 'node', 'call', 'analyse', 'listen', 'keys create'].map((name) =>
      helpOf(name.split(' ')),
    );
    const unknown = sayings(/`(--[a-z][a-z-]*)[^`]*`/g).filter(
      ({ said }) => !all.some((help) => new RegExp(`${said[1]}\\b`).test(help)),
    );
    expect(unknown.map(({ page, said }) => `${page}: ${said[1]}`)).toEqual([]);
  }, 60_000);

  function mistakesIn(line: string, commands: readonly string[]): string[] {
    const [command = '', ...rest] = line.split(/\s+/);
    if (command.startsWith('-')) return [];
    if (!commands.includes(command.replace(/[.,;:]$/, ''))) return [`there is no omnivoice ${command}`];
    const [next = ''] = rest;
    const isGroup = command === 'keys' && /^[a-z]+$/.test(next);
    const help = helpOf(isGroup ? [command, next] : [command]);
    if (!help.startsWith('Usage: omnivoice')) return [`omnivoice ${line}: ${help}`];
    const flags = rest.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
    return flags
      .filter((flag) => !new RegExp(`${flag}\\b`).test(help))
      .map((flag) => `omnivoice ${command} has no ${flag}`);
  }
});
