import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRegion } from '../../src/config/region.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-regions-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a region file', () => {
  it('of ours is always well-formed', () => {
    const names = readdirSync(join(import.meta.dirname, '../../regions')).map((file) =>
      file.replace('.json', ''),
    );
    expect(names).toContain('local');
    for (const name of names) expect(readRegion(name)).toMatchObject({ region: { name } });
  });

  it('that is wrong has every mistake named', () => {
    const wrong = {
      name: 'west',
      adress: 1,
      neighbours: ['east', 'NO'],
      limits: { node_cap_legs: 0, legs: 1 },
    };
    writeFileSync(join(folder, 'east.json'), JSON.stringify(wrong));
    const read = readRegion('east', folder);
    const file = join(folder, 'east.json');
    expect('mistakes' in read && read.mistakes).toEqual([
      `${file}: "adress" is not a word of a region file`,
      `${file}: "name" is not "east", the name of the file`,
      `${file}: "address" is neither a text nor null`,
      `${file}: "neighbours" is not a list of region names`,
      `${file}: "limits.legs" is not a limit of a region`,
      `${file}: "limits.node_cap_legs" is not a whole number in the range 1 to 10000`,
    ]);
  });

  it('that is not JSON, or not there, says so', () => {
    writeFileSync(join(folder, 'broken.json'), '{');
    expect(readRegion('broken', folder)).toEqual({
      mistakes: [`${folder}/broken.json is not a JSON object`],
    });
    expect(readRegion('nowhere', folder)).toHaveProperty('mistakes');
  });
});
