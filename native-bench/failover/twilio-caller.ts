import { sleep, systemClock, type AtMs } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { connectedWords, mediaHead, mediaTail, startWords, stopWords } from '../load/twilio-words.ts';
import { Wire } from '../load/wire.ts';
import { Ear } from './ear.ts';
import type { CallerWish, FailoverCaller } from './failover-caller.ts';
import { LineBreaks, type LineBreak } from './line-break.ts';
import { FRAME_BYTES, NUMBER_BYTES, numberOf, writeNumber } from './numbered-frame.ts';

const PAYLOAD_KEY = Buffer.from('"payload":"');
/** Base64 of the bytes that tell a frame's number. */
const NUMBER_TEXT = Math.ceil((NUMBER_BYTES * 4) / 3);
const UPGRADE_WITHIN_MS = 5000;
/** The document's last word leads to a webhook, which takes a moment to answer with the document again. */
const REDIRECT_MS = 100;
const TALKS_FOR_MS = 60_000;

let streams = 0;

/**
 * A call as Twilio has one whose document lists several streams: when one closes, for whatever reason, the
 * next is opened; it notices nothing else. What Twilio itself takes from one to the next is not in it.
 */
export class TwilioCaller implements FailoverCaller {
  readonly kind = 'twilio';
  readonly ear = new Ear();
  readonly breaks = new LineBreaks();
  readonly callId = null;
  readonly callSid: string;
  readonly #wish: CallerWish;
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  #wire: Wire | undefined;
  #streamSid = '';
  #tail = '';
  #at = 0;
  #number = 0;
  #chunk = 0;
  #sequence = 1;
  #state: 'talking' | 'walking' | 'over' = 'talking';
  /** Its line is open and nothing was heard on it yet. */
  #unheard: LineBreak | undefined;

  constructor(wish: CallerWish) {
    this.#wish = wish;
    this.callSid = wish.name;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  async dial(): Promise<void> {
    await this.#stream(this.#wish.urls[0]!);
  }

  speak(): void {
    const number = this.#number++;
    if (this.#wire?.isOpen !== true) return;
    writeNumber(number, this.#frame);
    const payload = Buffer.from(this.#frame.toString('base64'), 'latin1');
    this.#wire.send(mediaHead(++this.#sequence, this.#chunk++), payload, this.#tail);
  }

  press(digit: string): void {
    const dtmf = { track: 'inbound_track', digit };
    const sequenceNumber = String(++this.#sequence);
    this.#say(JSON.stringify({ event: 'dtmf', sequenceNumber, dtmf, streamSid: this.#streamSid }));
  }

  hangUp(): void {
    this.#state = 'over';
    this.#say(stopWords(this.#streamSid, this.callSid, ++this.#sequence));
    if (this.#wire?.isOpen === true) this.#wire.close();
  }

  destroy(): void {
    this.#state = 'over';
    this.#wire?.destroy();
  }

  /** Each stream of the document is one of its own, with its own numbers, of the same call. */
  async #stream(url: string): Promise<void> {
    const streamSid = `MZ${this.callSid}s${streams++}`;
    const listener = {
      onText: (bytes: Buffer, start: number, end: number) => this.#hear(bytes, start, end),
      onClosed: () => {
        // Not where it was never opened.
        if (this.#streamSid === streamSid) this.#walk(systemClock.nowMs());
      },
    };
    const wire = await Wire.open(url, listener, UPGRADE_WITHIN_MS);
    this.#streamSid = streamSid;
    this.#tail = mediaTail(this.#streamSid);
    this.#chunk = 0;
    this.#sequence = 1;
    wire.send(connectedWords());
    wire.send(startWords(this.#streamSid, this.callSid));
    this.#wire = wire;
  }

  #hear(bytes: Buffer, start: number, end: number): void {
    const key = bytes.indexOf(PAYLOAD_KEY, start);
    if (key < 0 || key >= end) return;
    const nowMs = systemClock.nowMs();
    const at = key + PAYLOAD_KEY.length;
    const number = numberOf(Buffer.from(bytes.toString('latin1', at, at + NUMBER_TEXT), 'base64'));
    if (number >= 0 && this.#unheard !== undefined) {
      this.#unheard.backAtMs = nowMs;
      this.#unheard = undefined;
    }
    this.ear.hear(number, nowMs);
  }

  #walk(nowMs: AtMs): void {
    if (this.#state !== 'talking') return;
    this.#state = 'walking';
    // A stream that was opened and closed before it was heard is one that was tried in vain.
    const one = this.#unheard ?? this.breaks.begin('closed', nowMs);
    if (this.#unheard !== undefined) this.breaks.refuse(one, 'closed before it was heard');
    void this.#walkOn(one);
  }

  async #walkOn(one: LineBreak): Promise<void> {
    const { urls } = this.#wish;
    const untilMs = systemClock.nowMs() + TALKS_FOR_MS;
    while (this.#state === 'walking' && systemClock.nowMs() < untilMs) {
      this.#at = (this.#at + 1) % urls.length;
      if (this.#at === 0) await sleep(systemClock, REDIRECT_MS);
      const dialledAtMs = systemClock.nowMs();
      try {
        await this.#stream(urls[this.#at]!);
        one.dialledAtMs = dialledAtMs;
        this.#unheard = one;
        this.#state = 'talking';
        return;
      } catch (error) {
        this.breaks.refuse(one, messageOf(error));
      }
    }
    this.#state = 'over';
  }

  #say(words: string): void {
    if (this.#wire?.isOpen === true) this.#wire.send(words);
  }
}
