import { resolve } from 'node:path';
import { isLoopback, mediaUrlOf, publicUrlOf } from '../../config/addresses.ts';
import type { Settings } from '../../config/settings.ts';
import type { Facts } from './supervisor.ts';

/** Where commands look by themselves. */
const URL_DEFAULT = 'http://127.0.0.1:8080';

/** What the person who started the house is told when it stands. */
export interface ReadyReport {
  readonly version: string;
  readonly settings: Settings;
  /** What children had to say: `api_key` when one was made just now. */
  readonly facts: Facts;
  readonly readyMs: number;
}

/** One JSON line, for machines. */
export function readyLine({ version, settings, facts, readyMs }: ReadyReport): string {
  return `${JSON.stringify({
    event: 'ready',
    version,
    region: settings.region,
    api_url: publicUrlOf(settings),
    media_url: mediaUrlOf(settings),
    docs_url: `${publicUrlOf(settings)}/docs`,
    media_nodes: settings.mediaNodes,
    ready_ms: Math.round(readyMs),
    ...facts,
  })}\n`;
}

/** A few lines, for people. */
export function banner({ version, settings, facts, readyMs }: ReadyReport): string {
  const { api_key: key, ...others } = facts;
  const rows: [string, string][] = [
    ['API', publicUrlOf(settings)],
    ['Docs', `${publicUrlOf(settings)}/docs`],
    ['Media', mediaUrlOf(settings)],
    ...(key === undefined ? [] : [['API key', `${key}  (shown once: keep it)`] as [string, string]]),
    ...Object.entries(others),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  const nodes = settings.mediaNodes === 1 ? '1 media node' : `${settings.mediaNodes} media nodes`;
  return [
    '',
    `Omnivoice ${version} is ready in ${Math.round(readyMs)} ms: ${nodes}, region ${settings.region}`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`),
    '',
    'Next, in another terminal:',
    `  npx omnivoice call samples/hello.wav --as twilio${wayHere(settings)}`,
    `  npx omnivoice listen${wayHere(settings)}`,
    `  curl ${publicUrlOf(settings)}/api/v1/openapi.json`,
    '',
    '',
  ].join('\n');
}

/** What a command needs to find this house from a terminal that does not have its settings. */
function wayHere(settings: Settings): string {
  const url = publicUrlOf(settings);
  const toUrl = url === URL_DEFAULT ? '' : ` --url ${url}`;
  if (!isLoopback(settings.host)) return `${toUrl} --key omf_live_…`;
  return resolve(settings.dataDir) === resolve('data') ? toUrl : `${toUrl} --data-dir ${settings.dataDir}`;
}
