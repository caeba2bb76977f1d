import type { Call } from '../../call/call.ts';
import type { RedirectTarget, StreamAudio } from '../../events/asks.ts';
import type { Leg } from '../../leg/leg.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { ReturnTokens } from '../door/return-tokens.ts';

export interface FarewellsOptions {
  readonly tokens: Pick<ReturnTokens, 'mintFor'>;
  /** 0 where nobody is waited for, so that nobody may be sent away either. */
  readonly resumeWindowMs: number;
}

/** Sends legs to other nodes: in their protocol's own words, or by the address their provider is given. */
export class Farewells {
  readonly #options: FarewellsOptions;
  readonly #sentAway = new WeakSet<Leg>();

  constructor(options: FarewellsOptions) {
    this.#options = options;
  }

  /** Whether its protocol has words by which it comes back elsewhere, and time enough to. */
  canGoAway({ capabilities }: Leg): boolean {
    // Who would come back to its leg needs the time to do so.
    return capabilities.goaway && (!capabilities.resume || this.#options.resumeWindowMs > 0);
  }

  /**
   * Those of these legs of the call that can come back elsewhere by their protocol's own words are told to,
   * at the node of that base URL. How many were told.
   */
  goAway(call: Call, mediaUrl: string, legs: readonly Leg[] = call.legs): number {
    return legs.filter((leg) => this.#sendAway(call, leg, mediaUrl)).length;
  }

  /** Whether the leg was told to come back elsewhere. */
  isSentAway(leg: Leg): boolean {
    return this.#sentAway.has(leg);
  }

  /** The leg is back, here of all places: whether it was told to come. */
  cameBack(leg: Leg): boolean {
    return this.#sentAway.delete(leg);
  }

  /** Where the caller's leg would come back to at the node of that base URL, its token in the path. */
  redirectOf(call: Call, mediaUrl: string): RedirectTarget | undefined {
    const leg = call.legs.find(({ role, state }) => role === 'caller' && state.name === 'active');
    if (leg === undefined || this.#options.resumeWindowMs === 0) return undefined;
    const { inbound: heard, outbound: said } = leg.started;
    const streamUrl = `${mediaUrl}/media/${leg.dialectName}/r/${this.#options.tokens.mintFor(leg, call)}`;
    return { streamUrl, audio: { heard: audioOf(heard), said: audioOf(said) } };
  }

  #sendAway(call: Call, leg: Leg, mediaUrl: string): boolean {
    if (!this.canGoAway(leg) || leg.state.name !== 'active') return false;
    const url = `${mediaUrl}/media/${leg.dialectName}`;
    const token = leg.capabilities.resume ? this.#options.tokens.mintFor(leg, call) : '';
    const message = leg.session.writeGoaway({ url, token, reason: 'draining' });
    if (message === undefined) return false;
    this.#sentAway.add(leg);
    leg.send(message);
    return true;
  }
}

function audioOf({ codec, sampleRateHz }: AudioFormat): StreamAudio {
  return { codec, sampleRateHz };
}
