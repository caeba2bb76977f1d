import type { Capabilities } from '../../src/dialect/capabilities.ts';
import {
  AUDIO,
  IGNORED,
  type Dialect,
  type DialectSession,
  type Inbound,
  type LegStarted,
  type ReadResult,
  type WireMessage,
} from '../../src/dialect/dialect.ts';
import { parseObject } from '../../src/base/json.ts';
import { refuse } from '../../src/base/errors.ts';
import { PROOF_FAILED } from '../../src/dialect/proof.ts';
import { PCMU_8K } from '../../src/media/format.ts';

const CAPABILITIES: Capabilities = {
  marks: true,
  marksOnClear: 'returned',
  marksMax: 100,
  clear: true,
  dtmfIn: true,
  dtmfOut: false,
  hangUp: false,
  transfer: false,
  sequenced: false,
  messageFrames: 1,
  inFlightMsMax: 200,
  twoCodecs: false,
  closeEnds: false,
  resume: false,
  goaway: false,
  keepAliveMs: 0,
  unverified: false,
};

export const ODD_STARTED: LegStarted = {
  type: 'started',
  providerCallId: null,
  providerStreamId: null,
  inbound: PCMU_8K,
  outbound: PCMU_8K,
  bidirectional: true,
  parameters: {},
  speechOnly: false,
  wantsEvents: false,
};

/** A message of the odd protocol: its word, and whatever belongs to it. */
export function oddWords(word: string, more: object = {}): WireMessage {
  return { bytes: Buffer.from(JSON.stringify({ word, ...more })), isBinary: false };
}

export interface OddOptions {
  readonly capabilities?: Partial<Capabilities>;
  readonly endGraceMs?: number;
  readonly proofs?: Dialect['proofs'];
  readonly verify?: NonNullable<Dialect['verify']>;
}

/** A protocol with every oddity a provider may have, each as a setting. Audio is binary, PCMU at 8 kHz. */
export function oddDialect({ capabilities, endGraceMs, proofs = [], verify }: OddOptions = {}): Dialect {
  const can = { ...CAPABILITIES, ...capabilities };
  return {
    name: 'odd',
    subprotocols: [],
    capabilities: can,
    options: [],
    formats: [PCMU_8K],
    proofs,
    verify: verify ?? (() => PROOF_FAILED),
    openSession: () => new OddSession(can, endGraceMs ?? 0),
    openCaller: () => {
      throw new Error('nobody calls as odd');
    },
  };
}

class OddSession implements DialectSession {
  readonly audioIsBinary = true;
  readonly endGraceMs: number;
  readonly #can: Capabilities;
  #collected: number[] = [];

  constructor(can: Capabilities, endGraceMs: number) {
    this.#can = can;
    this.endGraceMs = endGraceMs;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) {
      into.payload.set(message);
      Object.assign(into, { payloadBytes: message.length, sequence: -1, timestampMs: -1 });
      return AUDIO;
    }
    const said = parseObject(message);
    if (said === undefined) return refuse('not_json', 'no JSON');
    switch (said['word']) {
      case 'start':
        return ODD_STARTED;
      case 'ask':
        return { type: 'reply', message: oddWords('answer') };
      case 'end':
        return {
          type: 'several',
          inputs: [
            { type: 'reply', message: oddWords('ended') },
            { type: 'hung_up', reason: 'provider' },
          ],
        };
      case 'played':
        return { type: 'mark_played', name: String(said['name']) };
      case 'played_out':
        return { type: 'played_out' };
      case 'flow':
        return { type: 'flow', maySend: said['maySend'] === true };
      case 'thinks':
        return { type: 'caller_speaking' };
      case 'digit':
        return { type: 'dtmf', digit: '5', durationMs: null };
      default:
        return IGNORED;
    }
  }

  writeAudio(frame: Uint8Array): Uint8Array | undefined {
    this.#collected.push(...frame);
    return this.#collected.length < 160 * this.#can.messageFrames ? undefined : this.#takeCollected();
  }

  flushAudio(): Uint8Array | undefined {
    if (this.#collected.length === 0) return undefined;
    while (this.#collected.length < 160 * this.#can.messageFrames) this.#collected.push(0xff);
    return this.#takeCollected();
  }

  writeMark(name: string): WireMessage {
    return oddWords('mark', { name });
  }

  writeClear(): WireMessage {
    return oddWords('clear');
  }

  writeGoaway(facts: object): WireMessage {
    return oddWords('goaway', facts);
  }

  writeKeepAlive(): WireMessage {
    return oddWords('alive');
  }

  writeEnd(reason: string): WireMessage {
    return oddWords('goodbye', { reason });
  }

  writeDtmf(): undefined {}
  writeStarted(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}

  #takeCollected(): Uint8Array {
    return Uint8Array.from(this.#collected.splice(0));
  }
}
