import { expect, it } from 'vitest';
import { envNameOf, SETTING_KEYS } from '../../src/config/settings.ts';
import { MANIFESTS, readManifest } from './manifests.ts';

it('every manifest can be read, and names no setting that is not one', () => {
  const known = SETTING_KEYS.map(envNameOf);
  expect(MANIFESTS.length).toBeGreaterThan(8);
  for (const path of MANIFESTS) {
    const named = JSON.stringify(readManifest(path)).match(/OMNIVOICE_[A-Z_]*[A-Z]/g) ?? [];
    expect([path, named.filter((name) => !known.includes(name))]).toEqual([path, []]);
  }
});
