import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = resolve(import.meta.dirname, '../src');

// Audio walks one way; imports point inward. `*`: puts rooms together and may see everyone.
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  config: ['base'],
  media: ['base'],
  dialect: ['base', 'media'],
  leg: ['base', 'media', 'dialect'],
  events: ['base'],
  call: ['base', 'media', 'leg', 'events'],
  link: ['base', 'events'],
  gateway: ['base', 'dialect', 'leg', 'call'],
  cluster: ['base', 'events'],
  cli: ['base', 'config', 'media', 'dialect', 'leg', 'events', 'client'],
  client: ['base', 'events'],
  web: ['client'],
  delivery: ['base', 'events'],
  records: ['base', 'events'],
  providers: ['base', 'dialect', 'events'],
  api: ['base', 'cluster', 'delivery', 'events', 'link', 'providers', 'records'],
  store: ['base', 'api', 'cluster', 'delivery', 'events', 'records'],
  telemetry: ['base'],
  node: ['*'],
  control: ['*'],
};

// Only these rooms may see a socket, a file or a process; media and dialect know none of it.
const PURE_ROOMS = ['media', 'dialect', 'leg', 'call', 'events'];
const WORLD = /from '(?:node:(?:net|http|https|fs|child_process|dgram|tls)|ws|pino|undici|fastify)/;

const TRESPASSES = [
  /\bDate\.now\(/,
  /\bperformance\.now\(/,
  /\bnew Date\(\)/,
  /\bMath\.random\(/,
  /(?<![.\w])set(?:Timeout|Interval)\(/,
  /\bprocess\.hrtime/,
];

interface Source {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readSource(path));

function readSource(path: string): Source {
  const text = readFileSync(join(SOURCE, path), 'utf8');
  const found = text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  const imports = [...found].map((match) => relative(SOURCE, resolve(SOURCE, dirname(path), match[1]!)));
  return { path, room: roomOf(path), text, imports };
}

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '';
}

describe('the rooms', () => {
  it('are all in the table', () => {
    const rooms = new Set(sources.map((source) => source.room).filter((room) => room !== ''));
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  it('import only inward', () => {
    const trespassers = sources
      .filter(({ room }) => room !== '' && !MAY_IMPORT[room]!.includes('*'))
      .flatMap(({ path, room, imports }) =>
        imports
          .map(roomOf)
          .filter((target) => target !== room && !MAY_IMPORT[room]!.includes(target))
          .map((target) => `${path} → ${target || 'main.ts'}`),
      );
    expect(trespassers).toEqual([]);
  });

  it('leave sockets, files and loggers to the edges', () => {
    const trespassers = sources.filter(({ room, text }) => PURE_ROOMS.includes(room) && WORLD.test(text));
    expect(trespassers.map(({ path }) => path)).toEqual([]);
  });

  it('let time and chance in through base/clock.ts only', () => {
    const trespassers = sources
      .filter(({ path }) => path !== 'base/clock.ts')
      .flatMap(({ path, text }) =>
        TRESPASSES.filter((pattern) => pattern.test(text)).map((pattern) => `${path}: ${pattern.source}`),
      );
    expect(trespassers).toEqual([]);
  });

  it('hold at most fourteen files each', () => {
    const counts = new Map<string, number>();
    for (const { path } of sources) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, files]) => files > 14)).toEqual([]);
  });
});

describe('a file', () => {
  it('has a kebab-case name that says what it is', () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|manager|types|misc|index)\.ts$/;
    const offenders = sources.filter(({ path }) => vague.test(path) || !/^[a-z0-9./-]+$/.test(path));
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });

  it('keeps its lines within 110 columns', () => {
    const long = sources.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (line.length > 110 ? [`${path}:${index + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it('gives up no type and leaves nothing to do', () => {
    const marks = /\bas any\b|: any\b|@ts-(?:ignore|nocheck|expect-error)|\b(?:TODO|FIXME|XXX)\b/;
    expect(sources.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe('what tests share', () => {
  it('makes no hook as it is loaded: rooms share a process, where it is loaded once', () => {
    const hook = /^(?:await )?(?:after|before)(?:Each|All)\(/m;
    const shared = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'),
    );
    expect(shared.length).toBeGreaterThan(100);
    const offenders = shared.filter((path) =>
      hook.test(readFileSync(join(import.meta.dirname, path), 'utf8')),
    );
    expect(offenders).toEqual([]);
  });
});
