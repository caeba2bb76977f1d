import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRegion, readSurroundings } from '../../src/config/region.ts';

const PLAIN = { address: null, neighbours: [], limits: {} };
const ROOT = join(import.meta.dirname, '../..');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-regions-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: object): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(content));
  return file;
}

function mistakesOf(name: string, content: object): readonly string[] {
  const file = write(name, content);
  const read = readRegion(name, folder);
  return 'mistakes' in read ? read.mistakes.map((mistake) => mistake.replace(`${file}: `, '')) : [];
}

describe('a region file', () => {
  it.each(['regions', 'ops/regions'])('of ours in %s is always well-formed', (where) => {
    const names = readdirSync(join(ROOT, where)).map((file) => file.replace('.json', ''));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(readRegion(name, join(ROOT, where))).toMatchObject({ region: { name } });
  });

  it('tells where the region is, who takes over, and how providers are reached from it', () => {
    write('east', {
      name: 'east',
      address: 'https://east.example.com/',
      wss: 'wss://media.east.example.com',
      lat: 52.5,
      lon: 13.4,
      neighbours: ['west', 'north'],
      redis: 'redis://redis.east.internal:6379',
      limits: { node_cap_legs: 300 },
      providers: { twilio: { edge: 'https://api.frankfurt.us1.twilio.com' } },
    });
    expect(readRegion('east', folder)).toEqual({
      region: {
        name: 'east',
        address: 'https://east.example.com',
        mediaUrl: 'wss://media.east.example.com',
        place: { latDeg: 52.5, lonDeg: 13.4 },
        neighbours: ['west', 'north'],
        redisUrl: 'redis://redis.east.internal:6379',
        limits: { nodeCapLegs: 300 },
        providers: { twilio: { edge: 'https://api.frankfurt.us1.twilio.com' } },
      },
    });
  });

  it('that is wrong has every mistake named', () => {
    const wrong = {
      name: 'west',
      adress: 1,
      neighbours: ['east', 'NO'],
      limits: { node_cap_legs: 0, legs: 1 },
    };
    expect(mistakesOf('east', wrong)).toEqual([
      '"adress" is not a word of a region file',
      '"name" is not "east", the name of the file',
      '"address" is neither a URL nor null',
      '"neighbours" is not a list of region names',
      '"limits.legs" is not a limit of a region',
      '"limits.node_cap_legs" is not a whole number in the range 1 to 10000',
    ]);
  });

  it.each([
    [{ address: 'east' }, '"address" is not a URL that begins with http:// or https://'],
    [{ wss: 'https://media' }, '"wss" is not a URL that begins with ws:// or wss://'],
    [{ lat: 1 }, '"lon" is missing beside "lat"'],
    [{ lat: 91, lon: 0 }, '"lat" is not a number of degrees in the range -90 to 90'],
    [{ lat: 0, lon: '1' }, '"lon" is not a number of degrees in the range -180 to 180'],
    [{ neighbours: ['east'] }, '"neighbours" names the region itself'],
    [{ neighbours: ['west', 'west'] }, '"neighbours" names "west" twice'],
    [{ redis: 'http://x' }, '"redis" is not a redis://'],
    [{ limits: 3 }, '"limits" is not an object'],
    [{ providers: [] }, '"providers" is not an object'],
    [{ providers: { twilio: { edge: 1 } } }, '"providers.twilio.edge" is not a URL'],
    [{ providers: { twilio: { edge: 'https://x', url: 1 } } }, '"providers.twilio.url" is not known'],
    [{ providers: { 'Tw!': {} } }, '"providers.Tw!" is not the name of a dialect'],
  ])('with %j says so, and nothing else', (change, said) => {
    const mistakes = mistakesOf('east', { name: 'east', ...PLAIN, ...change });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(said);
  });

  it('that is not JSON, or not there, says so', () => {
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(readRegion('broken', folder)).toEqual({
      mistakes: [`${folder}/broken.json is not a JSON object`],
    });
    expect(readRegion('nowhere', folder)).toHaveProperty('mistakes');
  });
});

describe('a region and its neighbours', () => {
  it('are read together, in the order of preference; one without a file is told of', () => {
    write('home', { name: 'home', ...PLAIN, neighbours: ['far', 'soon', 'near'] });
    write('near', { name: 'near', ...PLAIN });
    write('far', { name: 'far', ...PLAIN });
    const read = readSurroundings('home', folder);
    expect(read).toMatchObject({ home: { name: 'home' }, unknown: ['soon'] });
    expect('neighbours' in read && read.neighbours.map(({ name }) => name)).toEqual(['far', 'near']);
  });

  it('are all of them without a mistake, or all mistakes are told', () => {
    write('home', { name: 'home', ...PLAIN, neighbours: ['odd'] });
    const odd = write('odd', { name: 'odd', ...PLAIN, lat: 1 });
    expect(readSurroundings('home', folder)).toEqual({
      mistakes: [`${odd}: "lon" is missing beside "lat"`],
    });
  });
});
