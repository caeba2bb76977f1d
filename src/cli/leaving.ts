import type { Clock } from '../base/clock.ts';

// Ctrl-C reaches us from the terminal and again from npm, which passes on what it got itself.
const SAME_SIGNAL_MS = 300;
const EXIT_INTERRUPTED = 130;

/**
 * Runs `leave` at the first SIGINT or SIGTERM; a second one ends the process. Listens until the process
 * is gone: the echo of the first signal may come when all is done.
 */
export function onLeave(clock: Pick<Clock, 'nowMs'>, leave: () => void): void {
  let firstAtMs: number | undefined;
  const onSignal = (): void => {
    const nowMs = clock.nowMs();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      leave();
    } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) process.exit(EXIT_INTERRUPTED);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
}
