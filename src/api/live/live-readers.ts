import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import type { StreamItem, StreamQuery, Streams } from '../../delivery/streams.ts';
import type { KeyDirectory } from '../door/key-directory.ts';
import type { ApiKey } from '../ports.ts';

const HEARTBEAT_MS = 15_000;
const READERS_MAX = 1_000;
const READERS_PER_KEY_MAX = 100;

/** Why we end a stream that its reader would have kept. */
export type EndReason = 'too_slow' | 'closing' | 'revoked';

/** A reader's connection: SSE or WebSocket. */
export interface Wire {
  readonly bufferedBytes: number;
  write(item: StreamItem): void;
  /** Tells the reader that we are alive, or finds that the reader is not. */
  beat(): void;
  end(reason: EndReason): void;
  /** Tells when the connection is gone, whoever ended it; at once when it already is. */
  onGone(gone: () => void): void;
}

export interface LiveParts {
  readonly streams: Pick<Streams, 'open'>;
  readonly directory: Pick<KeyDirectory, 'findByHash'>;
  readonly clock: Pick<Clock, 'after'>;
}

/** Everybody who reads a live stream: how many, whether they are still there and still allowed to. */
export class LiveReaders {
  readonly stats = { opened: 0, refused: 0, tooSlow: 0, revoked: 0 };
  readonly #parts: LiveParts;
  readonly #readers = new Map<Wire, ApiKey>();
  #isClosing = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  get open(): number {
    return this.#readers.size;
  }

  /** Throws when there is no room for one more: asked while the answer can still be a status. */
  admit(key: ApiKey): void {
    if (this.#isClosing) throw new VoiceError('unavailable', 'closing');
    const sameKey = [...this.#readers.values()].filter(({ id }) => id === key.id).length;
    if (this.#readers.size < READERS_MAX && sameKey < READERS_PER_KEY_MAX) return;
    this.stats.refused++;
    if (sameKey >= READERS_PER_KEY_MAX) {
      throw new VoiceError('rate_limited', `a key may hold ${READERS_PER_KEY_MAX} streams open`);
    }
    throw new VoiceError('overloaded', 'too many open streams');
  }

  /** Feeds the wire until it is gone. */
  follow(key: ApiKey, query: StreamQuery, wire: Wire): void {
    this.#readers.set(wire, key);
    this.stats.opened++;
    let isGone = false;
    let stopBeat = (): void => undefined;
    let stopStream = (): void => undefined;
    wire.onGone(() => {
      isGone = true;
      this.#readers.delete(wire);
      stopBeat();
      stopStream();
    });
    if (isGone) return;
    const beatLater = (): void => {
      stopBeat = this.#parts.clock.after(HEARTBEAT_MS, () => {
        wire.beat();
        this.#endIfRevoked(wire, key);
        if (!isGone) beatLater();
      });
    };
    beatLater();
    const stream = this.#parts.streams.open(query, {
      get bufferedBytes() {
        return wire.bufferedBytes;
      },
      send: (item) => wire.write(item),
      end: (reason) => this.#end(wire, reason),
    });
    // The hub may have ended it, or the reader left, before it could give back what stops it.
    if (isGone) stream.close();
    else stopStream = () => stream.close();
  }

  closeAll(): void {
    this.#isClosing = true;
    for (const wire of this.#readers.keys()) wire.end('closing');
  }

  #end(wire: Wire, reason: EndReason): void {
    if (reason === 'too_slow') this.stats.tooSlow++;
    if (reason === 'revoked') this.stats.revoked++;
    wire.end(reason);
  }

  // A stream may outlive its key by a heartbeat, not by hours.
  #endIfRevoked(wire: Wire, key: ApiKey): void {
    this.#parts.directory.findByHash(key.secretHash).then(
      (found) => {
        if (found === undefined || !found.scopes.includes('events:read')) this.#end(wire, 'revoked');
      },
      () => {
        // The store does not answer: that alone proves nothing against the key, and the next beat asks again.
      },
    );
  }
}
