#!/usr/bin/env node
// Starts Omnivoice on a Node that can run it: sources are TypeScript, run by type stripping (Node >= 24).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;
const major = Number(process.versions.node.split('.')[0]);
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
// The runtime pinned as a dev dependency: a checkout works whatever Node the machine has.
const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (major >= NODE_MAJOR_MIN) {
  module.enableCompileCache?.();
  const { main: run } = await import(main);
  await run(process.argv.slice(2));
} else if (existsSync(pinned) && process.execPath !== pinned) {
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
} else {
  process.stderr.write(
    `Omnivoice needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}. ` +
      `Install it, or run "npm ci" here: the pinned runtime comes with the development dependencies.\n`,
  );
  process.exitCode = 2;
}
