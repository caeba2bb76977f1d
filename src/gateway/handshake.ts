import type { AtMs } from '../base/clock.ts';
import { refuse } from '../base/errors.ts';
import { Detector } from '../dialect/detect.ts';
import {
  IGNORED,
  type Dialect,
  type DialectSession,
  type Inbound,
  type ReadResult,
} from '../dialect/dialect.ts';
import type { Opening } from './arrivals.ts';
import type { Admitted } from './door/admission.ts';

/** More than this before the start is not kept. */
const OPENING_BYTES_MAX = 64 * 1024;

/** A protocol that is being spoken. */
export interface Spoken {
  readonly dialect: Dialect;
  readonly session: DialectSession;
}

/** What is said before the leg starts; also which protocol it is said in, where the path leaves it open. */
export class Handshake {
  readonly #admitted: Pick<Admitted, 'dialect' | 'upgrade' | 'options'>;
  readonly #dialects: (name: string) => Dialect | undefined;
  readonly #nowMs: AtMs;
  readonly #detector = new Detector();
  #spoken: Spoken | undefined;

  #said: Opening['messages'][number][] = [];
  #saidBytes = 0;

  constructor(
    admitted: Pick<Admitted, 'dialect' | 'upgrade' | 'options'>,
    dialects: (name: string) => Dialect | undefined,
    nowMs: AtMs,
  ) {
    this.#admitted = admitted;
    this.#dialects = dialects;
    this.#nowMs = nowMs;
    if (admitted.dialect !== undefined) this.#spoken = this.#open(admitted.dialect);
  }

  /** Undefined while nobody can say. */
  get spoken(): Spoken | undefined {
    return this.#spoken;
  }

  /** All that was said, told once: from then on nothing of it is kept. */
  takeOpening(): Opening | undefined {
    const messages = this.#said.splice(0);
    const dialect = this.#spoken?.dialect.name;
    if (dialect === undefined || this.#saidBytes > OPENING_BYTES_MAX) return undefined;
    const { upgrade, options } = this.#admitted;
    return { dialect, upgrade, options, messages };
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    this.#keep(message, isBinary);
    if (this.#spoken !== undefined) return this.#spoken.session.read(message, isBinary, into);
    // Some clients open with an empty frame.
    if (isBinary && message.length === 0) return IGNORED;
    const told = this.#detector.hear(message, isBinary);
    if (told === undefined) return IGNORED;
    if (typeof told !== 'string') return told;
    const dialect = this.#dialects(told);
    if (dialect === undefined) return refuse('unsupported_version', 'the protocol is not spoken here');
    this.#spoken = this.#open(dialect);
    return this.#repeat(this.#spoken.session, into);
  }

  #keep(message: Uint8Array, isBinary: boolean): void {
    this.#saidBytes += message.length;
    if (this.#saidBytes > OPENING_BYTES_MAX) this.#said = [];
    else if (message.length > 0) this.#said.push({ bytes: Buffer.from(message), isBinary });
  }

  #open(dialect: Dialect): Spoken {
    const { upgrade, options } = this.#admitted;
    return { dialect, session: dialect.openSession({ nowMs: this.#nowMs, upgrade, options }) };
  }

  /** What was said so far is said again to whom it was meant for; the last of it is what is answered. */
  #repeat(session: DialectSession, into: Inbound): ReadResult {
    let result: ReadResult = IGNORED;
    for (const message of this.#detector.heard.splice(0)) {
      result = session.read(message, false, into);
      if (result.type === 'refusal') return result;
    }
    return result;
  }
}
