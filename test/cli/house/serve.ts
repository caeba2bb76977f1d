// The supervisor over children of straw.
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { serve } from '../../../src/cli/serve.ts';
import { readSettings } from '../../../src/config/read-settings.ts';

const read = readSettings({ env: process.env, cores: 3 });
if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
process.exitCode = await serve({
  settings: read.settings,
  clock: systemClock,
  log: { info: () => {}, warn: () => {} },
  version: '0.0.0',
  json: true,
  startedAtMs: systemClock.nowMs(),
  program: join(import.meta.dirname, 'child.ts'),
  env: process.env,
  print: (text) => process.stdout.write(text),
  printError: (text) => process.stderr.write(text),
});
