import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { OptionValues } from '../capabilities.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf, nameOf } from '../fields.ts';
import type { UpgradeFacts } from '../proof.ts';
import { VERSION, type Envelope } from './envelope.ts';
import { chooseMedium, type Choice } from './offer.ts';
import { parametersOfOpen } from './open.ts';

/** Where a conversation and its participant have this id, nobody is calling: the connection is tried out. */
const PROBE_ID = '00000000-0000-0000-0000-000000000000';
const SESSION_HEADER = 'audiohook-session-id';
const ORGANIZATION_HEADER = 'audiohook-organization-id';
const HUNG_UP = { type: 'hung_up', reason: 'provider' } as const;

const PLAYED_OUT = { type: 'played_out' } as const;

type ReaderState = 'opening' | 'probing' | 'open' | 'closed';

/** What the client says: `open`, audio, and a dozen words, all of them numbered. */
export class GenesysReader {
  /** What it complains of (429: too many messages). */
  readonly stats = { errors: 0, throttled: 0, discarded: 0 };
  readonly #envelope: Envelope;
  readonly #headers: UpgradeFacts['headers'];
  readonly #options: OptionValues;
  #state: ReaderState = 'opening';
  #choice: Choice | undefined;
  #sampleBytes = 1;

  constructor(envelope: Envelope, { headers }: UpgradeFacts, options: OptionValues) {
    this.#envelope = envelope;
    this.#headers = headers;
    this.#options = options;
  }

  get choice(): Choice | undefined {
    return this.#choice;
  }

  /** Once it is closed nothing is said any more. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (this.#state === 'closed') return IGNORED;
    if (isBinary) return this.#readAudio(message, into);
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    const { version, id, type } = parsed;
    if (version !== VERSION || typeof type !== 'string') {
      return refuse('protocol_violation', 'no message of version 2');
    }
    if (this.#state === 'opening') return this.#open(parsed);
    if (id !== this.#envelope.sessionId) return refuse('protocol_violation', 'a message of another session');
    const flaw = this.#envelope.accept(parsed);
    if (flaw !== undefined) return refuse('protocol_violation', flaw);
    return this.#readWord(type, isObject(parsed['parameters']) ? parsed['parameters'] : {});
  }

  // Frames may be empty, and of any length; a probe may send some, and nobody listens to them.
  #readAudio(message: Uint8Array, into: Inbound): ReadResult {
    if (message.length === 0 || this.#state === 'probing') return IGNORED;
    if (this.#state === 'opening') return refuse('protocol_violation', 'audio before open');
    return readAudioBytes(message, this.#sampleBytes, into);
  }

  #open(message: JsonObject): ReadResult {
    const { id, type, parameters } = message;
    if (type !== 'open') return refuse('protocol_violation', 'the first message is not open');
    const sessionId = nameOf(id);
    if (sessionId === undefined || !isObject(parameters)) {
      return refuse('protocol_violation', 'open without an id or parameters');
    }
    const flaw = this.#mismatch(sessionId, parameters) ?? this.#choose(parameters);
    if (flaw !== undefined) return flaw;
    const misnumbered = this.#envelope.accept(message);
    if (misnumbered !== undefined) return refuse('protocol_violation', misnumbered);
    this.#envelope.open(sessionId);
    return isProbe(parameters) ? this.#answerProbe() : this.#start(sessionId, parameters);
  }

  /** What was signed at the upgrade must be what is said now. */
  #mismatch(sessionId: string, { organizationId }: JsonObject): Refusal | undefined {
    const session = this.#headers[SESSION_HEADER];
    const organization = this.#headers[ORGANIZATION_HEADER];
    if (session !== undefined && session !== sessionId) {
      return refuse('unauthenticated', 'the id of open is not that of the upgrade');
    }
    if (organization === undefined || organization === organizationId) return undefined;
    return refuse('unauthenticated', 'the organization of open is not that of the upgrade');
  }

  #choose({ media }: JsonObject): Refusal | undefined {
    this.#choice = chooseMedium(media, this.#options);
    if (this.#choice === undefined) return refuse('unsupported_format', 'no medium that can be carried');
    const { codec, channels = 1 } = this.#choice.inbound;
    this.#sampleBytes = channels * (codec === 'l16' ? 2 : 1);
    return undefined;
  }

  #answerProbe(): ReadResult {
    this.#state = 'probing';
    return { type: 'reply', message: this.#envelope.write('opened', openedWith(this.#choice)) };
  }

  #start(sessionId: string, parameters: JsonObject): LegStarted {
    const { inbound, outbound, bidirectional } = this.#choice!;
    this.#state = 'open';
    return {
      type: 'started',
      providerCallId: nameOf(parameters['conversationId']) ?? null,
      providerStreamId: sessionId,
      inbound,
      outbound,
      bidirectional,
      parameters: parametersOfOpen(parameters),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  #readWord(type: string, parameters: JsonObject): ReadResult {
    switch (type) {
      case 'open':
        return refuse('protocol_violation', 'a second open');
      case 'ping':
        return { type: 'reply', message: this.#envelope.write('pong') };
      case 'update':
        return { type: 'reply', message: this.#envelope.write('updated') };
      case 'dtmf':
        return this.#readDtmf(parameters);
      case 'playback_completed':
        return this.#state === 'open' ? PLAYED_OUT : IGNORED;
      case 'error':
        return this.#readError(parameters);
      case 'discarded':
        this.stats.discarded++;
        return IGNORED;
      case 'close':
        return this.#close();
      default:
        // `paused` and `resumed` show in the audio itself; new words come without notice.
        return IGNORED;
    }
  }

  #readDtmf(parameters: JsonObject): ReadResult {
    const digit = digitOf(parameters['digit']);
    if (digit === undefined) return refuse('protocol_violation', 'digit is no digit');
    return this.#state === 'open' ? { type: 'dtmf', digit, durationMs: null } : IGNORED;
  }

  #readError({ code }: JsonObject): typeof IGNORED {
    this.stats.errors++;
    if (Number(code) === 429) this.stats.throttled++;
    return IGNORED;
  }

  /** The client closes the socket itself as soon as it has read `closed`. */
  #close(): ReadResult {
    this.#state = 'closed';
    const reply = { type: 'reply', message: this.#envelope.write('closed') } as const;
    return { type: 'several', inputs: [reply, HUNG_UP] };
  }
}

/** The parameters of `opened`. */
export function openedWith(choice: Choice | undefined): object {
  return { startPaused: false, media: choice === undefined ? [] : [choice.medium] };
}

function isProbe({ conversationId, participant }: JsonObject): boolean {
  return conversationId === PROBE_ID && (!isObject(participant) || participant['id'] === PROBE_ID);
}
