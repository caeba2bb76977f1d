import type { CommandAnswer, StartedFacts, WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';
import { writeFormats } from './format.ts';
import { NATIVE_VERSION, type Wishes } from './start.ts';

const CLEAR = textMessage({ type: 'clear' });

/** `started` or `resumed`: where the leg is, what was agreed, how to come back. */
export function startedMessage(facts: StartedFacts, { formats, hasRtp }: Wishes): WireMessage {
  const resume = {
    token: facts.resumeToken,
    urls: facts.resumeUrls,
    window_ms: facts.resumeWindowMs,
  };
  return textMessage({
    type: facts.resumed ? 'resumed' : 'started',
    version: NATIVE_VERSION,
    call_id: facts.callId,
    leg_id: facts.legId,
    format: writeFormats(formats),
    rtp: hasRtp,
    resume: facts.resumeToken === null ? null : resume,
  });
}

export function markMessage(name: string): WireMessage {
  return textMessage({ type: 'mark', name });
}

/** `playedMs` is said by the server alone. */
export function markPlayedMessage(name: string, playedMs?: number | null): WireMessage {
  return textMessage({ type: 'mark_played', name, played_ms: playedMs });
}

export function clearMessage(): WireMessage {
  return CLEAR;
}

export function dtmfMessage(digit: string): WireMessage {
  return textMessage({ type: 'dtmf', digit });
}

export function eventMessage(envelope: object): WireMessage {
  return textMessage({ type: 'event', event: envelope });
}

export function resultMessage({ id, ok, value, fault, detail }: CommandAnswer): WireMessage {
  return textMessage({ type: 'result', id, ok, value, fault, detail });
}

export function pongMessage(id: string | null): WireMessage {
  return textMessage({ type: 'pong', id });
}

export function goawayMessage(facts: { url: string; token: string; reason: string }): WireMessage {
  const { url, token, reason } = facts;
  return textMessage({ type: 'goaway', url, token, reason });
}

export function endedMessage(reason: string): WireMessage {
  return textMessage({ type: 'ended', reason });
}

export function errorMessage({ fault, detail }: CommandAnswer): WireMessage {
  return textMessage({ type: 'error', fault: fault ?? 'internal', detail });
}
