import { readFileSync } from 'node:fs';
import { invariant } from '../base/errors.ts';
import { parseObject } from '../base/json.ts';

/** The version of this house, as its package says. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const version = parseObject(readFileSync(new URL('../../package.json', import.meta.url)))?.['version'];
  invariant(typeof version === 'string', 'package.json names a version');
  return version;
}
