import { invariant } from '../../base/errors.ts';
import type {
  CommandAnswer,
  Dialect,
  DialectSession,
  Inbound,
  ReadResult,
  StartedFacts,
  WireMessage,
} from '../dialect.ts';
import { l16, PCMA_8K, PCMU_8K } from '../../media/format.ts';
import { AudioWriter } from './audio.ts';
import { NativeCaller } from './caller.ts';
import { NativeReader } from './read.ts';
import {
  clearMessage,
  dtmfMessage,
  endedMessage,
  errorMessage,
  eventMessage,
  goawayMessage,
  markMessage,
  markPlayedMessage,
  pongMessage,
  resultMessage,
  startedMessage,
} from './write.ts';

/** Ours is 1, a client's is 2: in a capture the two directions are told apart. */
const SERVER_SSRC = 1;

/** The house's own protocol, `omnivoice.v1` (docs/protocol.md). */
export const nativeDialect: Dialect = {
  name: 'native',
  subprotocols: ['omnivoice.v1'],
  capabilities: {
    marks: true,
    marksOnClear: 'returned',
    marksMax: 1_000,
    clear: true,
    dtmfIn: true,
    dtmfOut: true,
    hangUp: true,
    transfer: false,
    sequenced: true,
    messageFrames: 1,
    // Clients play from a jitter buffer of their own, which holds as much as ours at most.
    inFlightMsMax: 200,
    twoCodecs: true,
    closeEnds: true,
    resume: true,
    goaway: true,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [],
  formats: [
    PCMU_8K,
    PCMA_8K,
    l16(8000),
    l16(16_000),
    l16(24_000),
    l16(48_000),
    { codec: 'g722', sampleRateHz: 16_000, littleEndian: true },
    { codec: 'opus', sampleRateHz: 48_000, littleEndian: true },
  ],
  proofs: [],
  openSession: () => new NativeSession(),
  openCaller: (options) => new NativeCaller(options),
};

class NativeSession implements DialectSession {
  readonly audioIsBinary = true;
  readonly isReplaceable = true;
  readonly #reader = new NativeReader();
  #audio: AudioWriter | undefined;
  #audioIndex = 0;
  /** Id of the ping that waits for its answer; undefined when none does. */
  #pingOwed: string | null | undefined;

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    this.#pingOwed = result.type === 'ping' ? result.id : undefined;
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    this.#audio ??= this.#openAudio();
    return this.#audio.write(frame, this.#audioIndex++);
  }

  skipAudio(): void {
    this.#audioIndex++;
  }

  writeMark(name: string): WireMessage {
    return markMessage(name);
  }

  writeClear(): WireMessage {
    return clearMessage();
  }

  writeDtmf(digit: string): WireMessage {
    return dtmfMessage(digit);
  }

  writeStarted(facts: StartedFacts): WireMessage | undefined {
    const { wishes } = this.#reader;
    return wishes === undefined ? undefined : startedMessage(facts, wishes);
  }

  writeEvent(envelope: object): WireMessage | undefined {
    return this.#reader.wishes?.started.wantsEvents === true ? eventMessage(envelope) : undefined;
  }

  writeAnswer(answer: CommandAnswer): WireMessage {
    const { id, ok } = answer;
    if (id === null && !ok) return errorMessage(answer);
    if (id !== this.#pingOwed) return resultMessage(answer);
    this.#pingOwed = undefined;
    return pongMessage(id);
  }

  writeMarkPlayed(name: string, playedMs: number | null): WireMessage {
    return markPlayedMessage(name, playedMs);
  }

  writeGoaway(facts: { url: string; token: string; reason: string }): WireMessage {
    return goawayMessage(facts);
  }

  writeEnd(reason: string): WireMessage {
    return endedMessage(reason);
  }

  #openAudio(): AudioWriter {
    const { wishes } = this.#reader;
    invariant(wishes !== undefined, 'audio is written after start');
    return new AudioWriter(wishes.formats.outbound, wishes.hasRtp, SERVER_SSRC);
  }
}
