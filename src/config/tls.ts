import { readFileSync } from 'node:fs';
import type { Settings } from './settings.ts';

/** Certificate and key as PEM, read from their files now; undefined where the ports are plain. */
export function readTls(
  settings: Pick<Settings, 'tlsCert' | 'tlsKey'>,
): { readonly cert: string; readonly key: string } | undefined {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: readFileSync(tlsCert, 'utf8'), key: readFileSync(tlsKey, 'utf8') };
}
