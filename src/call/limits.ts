import type { AtMs } from '../base/clock.ts';
import type { Leg } from '../leg/leg.ts';
import type { CallPart } from './call-part.ts';
import type { CallFacts, CallLimits } from './facts.ts';
import { LegParty } from './parties/party.ts';
import type { Roster } from './parties/roster.ts';

/** The limits of a call whose parts may have sooner ones on silence. */
export function limitsWith(limits: CallLimits, parts: readonly Pick<CallPart, 'silenceMaxMs'>[]): CallLimits {
  const limited = [limits.silenceMs, ...parts.map((part) => part.silenceMaxMs ?? 0)].filter((ms) => ms > 0);
  return { ...limits, silenceMs: limited.length === 0 ? 0 : Math.min(...limited) };
}

/** Which limit a call that lasted so long, and was silent for so long, has reached. */
export function limitReached(
  { durationMaxMs, silenceMs }: CallLimits,
  lastedMs: number,
  silentMs: number,
): 'max_duration' | 'silence_timeout' | undefined {
  if (durationMaxMs > 0 && lastedMs >= durationMaxMs) return 'max_duration';
  return silenceMs > 0 && silentMs >= silenceMs ? 'silence_timeout' : undefined;
}

/** A voice that was not heard to its end is over when its line has brought nothing for so long. */
const LINE_QUIET_MS = 1000;

/** Whether a voice goes on, or words of an agent are being heard: long speech is no silence. */
export function isAnybodySpeaking({ present }: Roster, nowMs: AtMs): boolean {
  return present.some(({ party, voice, channels }) => {
    if (channels.some(({ waitingFrames, isPaused }) => waitingFrames > 0 && !isPaused)) return true;
    if (voice === undefined || !(party instanceof LegParty)) return false;
    return nowMs - party.leg.stats.lastAudioAtMs < LINE_QUIET_MS;
  });
}

/**
 * Whether a leg whose line broke is worth waiting for: it has our token, or its provider streams the call
 * again under its own name for it.
 */
export function mayComeBack(
  { role, capabilities, started }: Pick<Leg, 'role' | 'capabilities' | 'started'>,
  { credentialId = null }: Pick<CallFacts, 'credentialId'>,
): boolean {
  const { resume, returns, endsOnLoss } = capabilities;
  if (resume || returns === true) return true;
  const isNamed = credentialId !== null && started.providerCallId !== null && started.bidirectional;
  return role === 'caller' && isNamed && endsOnLoss !== true;
}
