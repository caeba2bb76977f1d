import { invariant } from '../../base/errors.ts';
import { frameBytes } from '../../media/format.ts';
import type {
  CommandAnswer,
  DialectSession,
  Inbound,
  ReadResult,
  SessionOptions,
  WireMessage,
} from '../dialect.ts';
import { MessageFiller } from '../json-media/stream/message-filler.ts';
import { Envelope } from './envelope.ts';
import { GenesysReader, openedWith } from './read.ts';

/** 200 ms a message: Genesys answers more messages than it likes with error 429. */
export const MESSAGE_FRAMES = 10;
/** The byte of silence: mu-law's is all ones (ITU-T G.711, table 2a). */
const MULAW_SILENCE = 0xff;
/** The client gives itself 10 s to close, and needs a round trip. */
const END_GRACE_MS = 5_000;

/** The server's side of an AudioHook session. */
export class GenesysSession implements DialectSession {
  readonly audioIsBinary = true;
  readonly endGraceMs = END_GRACE_MS;
  readonly #envelope: Envelope;
  readonly #reader: GenesysReader;
  #filler: MessageFiller | undefined;

  constructor({ upgrade, options }: SessionOptions) {
    this.#envelope = new Envelope(upgrade.headers['audiohook-session-id'] ?? '');
    this.#reader = new GenesysReader(this.#envelope, upgrade, options);
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started' && result.bidirectional) {
      const { outbound } = result;
      const silence = outbound.codec === 'l16' ? 0 : MULAW_SILENCE;
      this.#filler = new MessageFiller(MESSAGE_FRAMES * frameBytes(outbound), silence);
    }
    return result;
  }

  writeAudio(frame: Uint8Array): Uint8Array | undefined {
    invariant(this.#filler !== undefined, 'audio is written after open, and never to Monitor');
    return this.#filler.add(frame);
  }

  flushAudio(): Uint8Array | undefined {
    return this.#filler?.fillUp();
  }

  writeStarted(): WireMessage {
    return this.#envelope.write('opened', openedWith(this.#reader.choice));
  }

  /** Genesys drops what it holds. */
  writeClear(): WireMessage | undefined {
    this.#filler?.empty();
    if (this.#filler === undefined) return undefined;
    return this.#said('event', { entities: [{ type: 'barge_in', data: {} }] });
  }

  writeGoaway({ reason }: { readonly reason: string }): WireMessage | undefined {
    return this.#said('reconnect', { info: reason });
  }

  /** There is no word for it: the flow goes on, and finds in its variables where to. */
  writeTransfer(target: string): WireMessage | undefined {
    return this.#disconnect('completed', {
      outputVariables: { action: 'transfer', transfer_target: target },
    });
  }

  /** Why nothing comes of the session. */
  writeAnswer({ id, ok, fault, detail }: CommandAnswer): WireMessage | undefined {
    if (ok || id !== null || this.#envelope.sessionId === '') return undefined;
    const isUnknown = fault === 'unauthenticated' || fault === 'permission_denied';
    return this.#disconnect(isUnknown ? 'unauthorized' : 'error', { info: detail ?? fault ?? '' });
  }

  /** The client answers with `close`, which is answered with `closed`. */
  writeEnd(reason: string): WireMessage | undefined {
    if (reason === 'protocol_error') return this.#disconnect('error', { info: reason });
    return this.#disconnect('completed', { outputVariables: { action: 'finished', end_reason: reason } });
  }

  // The digits of a caller are heard, never sent; Genesys names no marks, and events are its own.
  writeMark(): undefined {}
  writeDtmf(): undefined {}
  writeEvent(): undefined {}

  #disconnect(reason: 'completed' | 'unauthorized' | 'error', more: object): WireMessage | undefined {
    return this.#said('disconnect', { reason, ...more });
  }

  #said(type: string, parameters: object): WireMessage | undefined {
    return this.#reader.isClosed ? undefined : this.#envelope.write(type, parameters);
  }
}
