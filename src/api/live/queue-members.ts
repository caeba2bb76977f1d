import type { WebSocket } from 'ws';
import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { FAULTS, VoiceError, type FaultCode } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import type { KeyDirectory } from '../door/key-directory.ts';
import { TokenBucket } from '../door/token-bucket.ts';
import type { ApiKey } from '../ports.ts';
import type { MemberWire, QueueSeat } from '../queues/queue-desk.ts';

const HEARTBEAT_MS = 15_000;
const LAST_BYTES_MS = 5_000;
const MEMBERS_MAX = 2_000;
const MEMBERS_PER_KEY_MAX = 500;
/** An offer is at most a few KiB: who leaves so much unread is gone, or does not want to know. */
const UNREAD_BYTES_MAX = 256 * 1_024;
const MESSAGES_BURST = 20;
const MESSAGES_PER_MS = 5 / 1_000;

export interface QueueMembersOptions {
  readonly directory: Pick<KeyDirectory, 'findByHash'>;
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
}

/** One member's line, and what keeps it. */
interface Line {
  readonly key: ApiKey;
  readonly socket: WebSocket;
  readonly scope: ApiKey['scopes'][number];
  readonly bucket: TokenBucket;
  isAlive: boolean;
  isEnding: boolean;
  cancelBeat: Cancel;
}

/** Members of queues on their WebSockets: whether they are still there, and still allowed to. */
export class QueueMembers {
  readonly stats = { opened: 0, refused: 0, tooManyMessages: 0, tooSlow: 0, revoked: 0 };
  readonly #options: QueueMembersOptions;
  readonly #lines = new Set<Line>();
  #isClosing = false;

  constructor(options: QueueMembersOptions) {
    this.#options = options;
  }

  /** Throws when there is no room for one more: asked while the answer can still be a status. */
  admit(key: ApiKey): void {
    if (this.#isClosing) throw new VoiceError('unavailable', 'closing');
    const sameKey = [...this.#lines].filter((line) => line.key.id === key.id).length;
    if (this.#lines.size < MEMBERS_MAX && sameKey < MEMBERS_PER_KEY_MAX) return;
    this.stats.refused++;
    if (sameKey >= MEMBERS_PER_KEY_MAX) {
      throw new VoiceError('rate_limited', `a key may hold ${MEMBERS_PER_KEY_MAX} members`);
    }
    throw new VoiceError('overloaded', 'too many members');
  }

  /** Has somebody on a socket take a seat, until either is gone. A seat that is refused ends the socket. */
  seat(key: ApiKey, scope: Line['scope'], socket: WebSocket, join: (wire: MemberWire) => QueueSeat): void {
    const nowMs = this.#options.clock.nowMs();
    const bucket = new TokenBucket(MESSAGES_BURST, MESSAGES_PER_MS, nowMs);
    const cancelBeat = (): void => undefined;
    const line: Line = { key, socket, scope, bucket, isAlive: true, isEnding: false, cancelBeat };
    // `close` follows every error and is what counts.
    socket.on('error', () => undefined);
    try {
      const seat = join({ tell: (news) => this.#tell(line, news) });
      this.#keep(line, seat);
    } catch (error) {
      this.#end(line, error instanceof VoiceError ? error.code : 'internal');
    }
  }

  closeAll(): void {
    this.#isClosing = true;
    for (const line of this.#lines) this.#end(line, 'draining');
  }

  #keep(line: Line, seat: QueueSeat): void {
    const { socket } = line;
    this.#lines.add(line);
    this.stats.opened++;
    socket.on('pong', () => (line.isAlive = true));
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#hear(line, seat, isBinary ? '' : data));
    const leave = (): void => {
      this.#lines.delete(line);
      line.cancelBeat();
      seat.leave();
    };
    if (socket.readyState === socket.CLOSED) return leave();
    socket.on('close', leave);
    this.#beatLater(line);
  }

  #hear(line: Line, seat: QueueSeat, data: Buffer | string): void {
    if (line.isEnding) return;
    const nowMs: AtMs = this.#options.clock.nowMs();
    if (!line.bucket.take(nowMs)) {
      this.stats.tooManyMessages++;
      return this.#end(line, 'too_many_messages');
    }
    const message = messageIn(String(data));
    if (message === undefined) return this.#end(line, 'not_json');
    seat.say(message);
  }

  #tell(line: Line, news: JsonObject): void {
    const { socket } = line;
    if (line.isEnding || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > UNREAD_BYTES_MAX) {
      this.stats.tooSlow++;
      return this.#end(line, 'too_slow');
    }
    socket.send(JSON.stringify(news));
  }

  #beatLater(line: Line): void {
    line.cancelBeat = this.#options.clock.after(HEARTBEAT_MS, () => {
      if (!line.isAlive) return line.socket.terminate();
      line.isAlive = false;
      line.socket.ping();
      this.#endIfRevoked(line);
      this.#beatLater(line);
    });
  }

  // A member may outlive its key by a heartbeat, not by hours.
  #endIfRevoked(line: Line): void {
    this.#options.directory.findByHash(line.key.secretHash).then(
      (found) => {
        if (found?.scopes.includes(line.scope) === true || line.isEnding) return;
        this.stats.revoked++;
        this.#end(line, 'unauthenticated');
      },
      () => {
        // The store does not answer: that alone proves nothing against the key, and the next beat asks again.
      },
    );
  }

  #end(line: Line, fault: FaultCode): void {
    if (line.isEnding) return;
    line.isEnding = true;
    line.socket.close(FAULTS[fault].closeCode, fault);
    const cancel = this.#options.clock.after(LAST_BYTES_MS, () => line.socket.terminate());
    line.socket.on('close', cancel);
  }
}

function messageIn(text: string): JsonObject | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return isObject(message) ? message : undefined;
  } catch {
    return undefined;
  }
}
