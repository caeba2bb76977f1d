import type { Clock } from '../base/clock.ts';

/**
 * The clock that ages are told by: the wall clock, yet never ahead of where the start and the time gone by
 * since would have it. An age is then never too great, whichever way somebody sets the wall clock: nothing is
 * given up, and nobody switched off, for the sake of days that did not pass.
 */
export function ageClock(clock: Clock): Clock {
  const offsetMs = clock.unixMs() - clock.nowMs();
  return {
    nowMs: () => clock.nowMs(),
    unixMs: () => Math.min(clock.unixMs(), Math.floor(offsetMs + clock.nowMs())),
    after: (delayMs, task) => clock.after(delayMs, task),
    randomBytes: (count) => clock.randomBytes(count),
  };
}
