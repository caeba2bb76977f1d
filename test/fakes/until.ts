import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 2;

/** Waits until something of the real world is so, and fails by its name, or its own words, when it is not. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what = String(isSo),
  withinMs = 10_000,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${withinMs} ms: ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
