import type { ForkWish } from '../../call/forks/fork-line.ts';
import { backendStarted, BackendSession } from '../../dialect/client/backend-session.ts';
import { backendUrl, keyHeader } from '../../dialect/client/backend-url.ts';
import type { ClientRequest } from '../../dialect/client.ts';
import { IGNORED, type LegStarted, type ReadResult, type WireMessage } from '../../dialect/dialect.ts';
import { textMessage } from '../../dialect/text-message.ts';
import { l16, PCMU_8K } from '../../media/format.ts';

/** Sound as it is: a text message that says what comes, binary messages, a text message that says the end. */
export class RawSession extends BackendSession {
  readonly audioIsBinary = true;
  readonly endGraceMs = 0;
  readonly request: ClientRequest;
  /** It need not say anything. */
  readonly startedAtOpen: LegStarted;
  readonly #wish: ForkWish;

  constructor(wish: ForkWish) {
    super();
    this.#wish = wish;
    const format = wish.codec === 'pcmu' ? PCMU_8K : l16(wish.sampleRateHz);
    this.startedAtOpen = backendStarted(null, format, format);
    const headers = keyHeader(wish.api_key, 'Authorization', 'Bearer');
    this.request = { url: backendUrl(wish.url, null), headers, subprotocols: [] };
  }

  hello(): readonly WireMessage[] {
    const { forkId, callId, legId, tracks, codec, sampleRateHz, channels } = this.#wish;
    const names = { fork_id: forkId, call_id: callId, leg_id: legId, tracks };
    const format = { codec, sample_rate_hz: sampleRateHz, channels, little_endian: true };
    return [textMessage({ type: 'start', ...names, format })];
  }

  /** Whatever it says is not for us. */
  read(): ReadResult {
    return IGNORED;
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    return frame;
  }

  override writeEnd(): WireMessage {
    return textMessage({ type: 'stop', fork_id: this.#wish.forkId });
  }
}
