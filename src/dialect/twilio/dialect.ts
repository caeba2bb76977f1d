import { invariant } from '../../base/errors.ts';
import { PCMU_8K } from '../../media/format.ts';
import type { Dialect, DialectSession, Inbound, ReadResult, WireMessage } from '../dialect.ts';
import { PROOF_FAILED, PROOF_HOLDS } from '../proof.ts';
import { TwilioCaller } from './caller.ts';
import { TwilioReader } from './read.ts';
import { isTwilioUpgradeAuthentic } from './signature.ts';
import { TwilioWriter } from './write.ts';

/**
 * Twilio Media Streams: `<Connect><Stream>` both ways, `<Start><Stream>` listening only
 * (twilio.com/docs/voice/media-streams/websocket-messages).
 */
export const twilioDialect: Dialect = {
  name: 'twilio',
  subprotocols: [],
  capabilities: {
    marks: true,
    marksOnClear: 'returned',
    marksMax: 1_000,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Twilio buffers minutes (error 31931 beyond them); a second keeps a lost `clear` short.
    inFlightMsMax: 1_000,
    twoCodecs: false,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [],
  formats: [PCMU_8K],
  openSession: () => new TwilioSession(),
  openCaller: (options) => new TwilioCaller(options),
  proofs: ['auth_token'],
  verify: (upgrade, { auth_token }) =>
    auth_token === undefined || isTwilioUpgradeAuthentic(upgrade, auth_token) ? PROOF_HOLDS : PROOF_FAILED,
};

class TwilioSession implements DialectSession {
  readonly audioIsBinary = false;
  readonly #reader = new TwilioReader();
  #writer: TwilioWriter | undefined;

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started') {
      this.#writer = new TwilioWriter(result.providerStreamId ?? '', result.bidirectional);
    }
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    invariant(this.#writer !== undefined, 'audio is written after start');
    return this.#writer.audio(frame);
  }

  writeMark(name: string): WireMessage | undefined {
    return this.#writer?.mark(name);
  }

  writeClear(): WireMessage | undefined {
    return this.#writer?.clear();
  }

  // Twilio has no words for the rest: digits, hang-up and redirect go by its REST API, and closing the
  // socket is what ends `<Connect>`.
  writeDtmf(): undefined {}
  writeStarted(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}
  writeGoaway(): undefined {}
  writeEnd(): undefined {}
}
