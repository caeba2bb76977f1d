import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../../bin/omnivoice.js');

/** One run of `omnivoice`, and what it says. */
export interface CommandRun {
  out: string;
  err: string;
  readonly code: Promise<number | null>;
  readonly child: ChildProcess;
}

/** Starts `omnivoice` with an API key and the URL of the API. */
export function runCommand(args: readonly string[], apiUrl: string, key: string, cwd?: string): CommandRun {
  const env = { PATH: process.env['PATH'], OMNIVOICE_API_KEY: key, OMNIVOICE_PUBLIC_URL: apiUrl };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, ...(cwd !== undefined && { cwd }) });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const run: CommandRun = { out: '', err: '', code: promise, child };
  child.stdout.on('data', (piece: Buffer) => (run.out += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (run.err += piece.toString()));
  child.on('close', resolve);
  return run;
}
