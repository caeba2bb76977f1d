import { invariant } from '../../base/errors.ts';
import { Base64Template } from '../base64-template.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';
import type {
  CommandAnswer,
  DialectSession,
  Inbound,
  ReadResult,
  SessionOptions,
  SettledAudio,
  WireMessage,
} from '../dialect.ts';
import { textMessage } from '../text-message.ts';
import { acceptance, AudioCodesReader } from './read.ts';

const ABORT_PROMPTS = 'abort_prompts';
/** It answers a hang-up with `session.end`. */
const END_GRACE_MS = 5_000;

/** What makes it stop playing. */
export const BARGE_IN: DialectOption = {
  name: 'barge_in',
  values: [ABORT_PROMPTS, 'speech_started'],
  fallback: ABORT_PROMPTS,
  meaning: 'How what is queued is cleared: by `abortPrompts`, or by telling that the caller speaks.',
};

/** The bot's side of a session with VoiceAI Connect. Each utterance is a play stream of its own. */
export class AudioCodesSession implements DialectSession {
  readonly audioIsBinary = false;
  readonly endGraceMs = END_GRACE_MS;
  readonly #options: OptionValues;
  readonly #reader: AudioCodesReader;
  #audio: Base64Template;
  readonly #openedAtMs: number;
  #streamPrefix = 'play';
  #streamId = '';
  #streams = 0;
  #isPlaying = false;
  #hears = false;

  constructor({ options, nowMs }: SessionOptions) {
    this.#options = options;
    this.#openedAtMs = Math.round(nowMs);
    this.#reader = new AudioCodesReader(options);
    this.#audio = this.#nextStream();
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result.type === 'started') this.#hears = result.bidirectional;
    return result;
  }

  /** Before the first audio of an utterance. */
  writeHead(): WireMessage | undefined {
    if (this.#isPlaying || !this.#hears) return undefined;
    this.#isPlaying = true;
    const mediaFormat = this.#reader.accepted?.name;
    return textMessage({ type: 'playStream.start', streamId: this.#streamId, mediaFormat });
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    invariant(this.#hears, 'audio is written after session.initiate, and to those who expect it');
    return this.#audio.write(frame);
  }

  /** Behind the last audio of an utterance. */
  writeTail(): WireMessage | undefined {
    if (!this.#isPlaying) return undefined;
    const stop = textMessage({ type: 'playStream.stop', streamId: this.#streamId });
    this.#audio = this.#nextStream();
    return stop;
  }

  /** On a new connection: streams of the one before keep their names to themselves. */
  goOn(audio: SettledAudio): void {
    this.#reader.goOn(audio);
    this.#hears = audio.bidirectional;
    this.#streamPrefix = `play-${this.#openedAtMs}`;
    this.#audio = this.#nextStream();
  }

  writeStarted(): WireMessage {
    return textMessage(acceptance(this.#reader.accepted));
  }

  writeAnswer({ id, ok, fault, detail }: CommandAnswer): WireMessage | undefined {
    if (ok || id !== null) return undefined;
    return textMessage({ type: 'session.error', reason: detail ?? fault ?? '' });
  }

  /** What comes next is another stream: of this one it plays nothing more. */
  writeClear(): WireMessage | undefined {
    if (!this.#hears) return undefined;
    if (this.#isPlaying) this.#audio = this.#nextStream();
    if (optionOf(BARGE_IN, this.#options) === ABORT_PROMPTS) return this.#activity('abortPrompts');
    return textMessage({ type: 'userStream.speech.started' });
  }

  writeDtmf(digit: string): WireMessage | undefined {
    return this.#activity('sendDtmf', { value: digit });
  }

  /** A number is a `tel:` address (RFC 3966); whoever names a scheme means it. */
  writeTransfer(target: string): WireMessage | undefined {
    const transferTarget = /^[a-z]+:/i.test(target) ? target : `tel:${target}`;
    return this.#activity('transfer', { activityParams: { transferTarget, handoverReason: 'transfer' } });
  }

  writeEnd(reason: string): WireMessage | undefined {
    return this.#activity('hangup', { activityParams: { hangupReason: reason } });
  }

  // Marks are named in descriptions and not in its SDK; the rest it has no words for.
  writeMark(): undefined {}
  writeEvent(): undefined {}
  writeGoaway(): undefined {}

  #activity(name: string, more: object = {}): WireMessage | undefined {
    if (this.#reader.isEnded) return undefined;
    return textMessage({ type: 'activities', activities: [{ type: 'event', name, ...more }] });
  }

  #nextStream(): Base64Template {
    this.#isPlaying = false;
    this.#streamId = `${this.#streamPrefix}-${this.#streams++}`;
    return new Base64Template(
      `{"type":"playStream.chunk","streamId":"${this.#streamId}","audioChunk":"`,
      '"}',
    );
  }
}
