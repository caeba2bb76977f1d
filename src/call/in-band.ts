import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Leg } from '../leg/leg.ts';

/** What a `native` leg asks for in its own socket. */
export interface InBandCommand {
  readonly id: string | null;
  readonly name: string;
  readonly args: JsonObject;
}

/** Carries out an in-band command on those who hear the leg; ending the call is the call's own. */
export function obey(leg: Leg, command: InBandCommand, listeners: readonly Leg[], nowMs: AtMs): void {
  const { id, name, args } = command;
  const markName = args['name'];
  switch (name) {
    case 'mark':
      if (typeof markName === 'string') mark(leg, markName, listeners, nowMs);
      return;
    case 'clear':
      for (const listener of listeners) listener.clear(nowMs);
      return;
    case 'hang_up':
      answer(leg, { id, ok: true });
      return;
    default:
      answer(leg, { id, ok: false, fault: 'invalid_argument', detail: 'no such command' });
  }
}

/** Before nobody's ears everything has been played: the mark comes back at once. */
function mark(leg: Leg, name: string, listeners: readonly Leg[], nowMs: AtMs): void {
  for (const listener of listeners) listener.mark(name, nowMs);
  const played = listeners.length === 0 ? leg.session.writeMarkPlayed?.(name) : undefined;
  if (played !== undefined) leg.send(played);
}

/** Tells the leg what came of its command, where its protocol has words for it. */
export function answer(leg: Leg, verdict: Parameters<Leg['session']['writeAnswer']>[0]): void {
  const message = leg.session.writeAnswer(verdict);
  if (message !== undefined) leg.send(message);
}
