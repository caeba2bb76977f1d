import { setTimeout as pause } from 'node:timers/promises';

/** Waits for a condition of the real world; a deadline is a failure that says what was waited for. */
export async function until(what: string, holds: () => boolean, deadlineMs = 10_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await pause(2);
  }
}
