import { sleep, systemClock, type AtMs } from '../../src/base/clock.ts';
import { messageOf } from '../../src/base/errors.ts';
import { Wire } from '../load/wire.ts';
import type { CallerWish, FailoverCaller } from './failover-caller.ts';
import { Ear } from './ear.ts';
import { LineBreaks, type BreakCause, type LineBreak } from './line-break.ts';
import { FRAME_BYTES, numberOf, writeNumber } from './numbered-frame.ts';

/** Twenty frames and no word: who waits longer is waited for. */
const SILENCE_MAX_MS = 400;
/** A node to which a crowd comes answers late: who goes away and comes again makes it later. */
const UPGRADE_WITHIN_MS = 2000;
const RESUMED_WITHIN_MS = 3000;
/** After a round of all URLs, twice as long each time. */
const AGAIN_AFTER_MS = 250;
const AGAIN_AFTER_MS_MAX = 5000;
const COMES_BACK_FOR_MS = 60_000;
const OLD_LINE_MS = 1000;

interface Back {
  readonly token: string;
  readonly urls: readonly string[];
}

/** What the server says, as docs/protocol.md has it. */
interface Words {
  readonly type: string;
  readonly call_id?: string;
  readonly resume?: Back | null;
  readonly url?: string;
  readonly token?: string;
}

interface Line {
  readonly wire: Wire;
  /** Told when the server has let the leg into its call. */
  readonly greeted: PromiseWithResolvers<boolean>;
}

/** A caller of `omnivoice.v1`, written from docs/protocol.md alone: it comes back when its line breaks. */
export class NativeCaller implements FailoverCaller {
  readonly kind = 'native';
  readonly ear = new Ear();
  readonly breaks = new LineBreaks();
  readonly callSid = null;
  callId: string | null = null;
  readonly #wish: CallerWish;
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  #line: Line | undefined;
  #back: Back | undefined;
  #number = 0;
  #lastWordAtMs = Number.POSITIVE_INFINITY;
  #state: 'talking' | 'coming_back' | 'over' = 'talking';

  constructor(wish: CallerWish) {
    this.#wish = wish;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  async dial(): Promise<void> {
    const line = await this.#open(this.#wish.urls[0]!, { type: 'start' });
    if (!(await greetingOf(line))) throw new Error('not started');
    this.#line = line;
  }

  speak(nowMs: AtMs): void {
    const number = this.#number++;
    if (this.#line?.wire.isOpen !== true) return;
    writeNumber(number, this.#frame);
    this.#line.wire.sendBinary(this.#frame);
    if (nowMs - this.#lastWordAtMs > SILENCE_MAX_MS) this.#leave('silent', nowMs);
  }

  press(digit: string): void {
    this.#say({ type: 'dtmf', digit });
  }

  hangUp(): void {
    this.#state = 'over';
    this.#say({ type: 'bye' });
    if (this.#line?.wire.isOpen === true) this.#line.wire.close();
  }

  destroy(): void {
    this.#state = 'over';
    this.#line?.wire.destroy();
  }

  async #open(url: string, words: object): Promise<Line> {
    const greeted = Promise.withResolvers<boolean>();
    const listener = {
      onText: (bytes: Buffer, start: number, end: number) =>
        this.#hearWords(bytes.toString('utf8', start, end), greeted),
      onBinary: (bytes: Buffer, start: number) => this.#hear(bytes, start),
      onClosed: () => {
        greeted.resolve(false);
        // Not of a line that was left for another, or that was never opened.
        if (this.#line?.greeted === greeted) this.#leave('closed', systemClock.nowMs());
      },
    };
    const wire = await Wire.open(url, listener, UPGRADE_WITHIN_MS);
    wire.send(JSON.stringify(words));
    return { wire, greeted };
  }

  #hear(bytes: Buffer, start: number): void {
    const nowMs = systemClock.nowMs();
    this.#lastWordAtMs = nowMs;
    this.ear.hear(numberOf(bytes, start), nowMs);
  }

  #hearWords(text: string, greeted: Line['greeted']): void {
    this.#lastWordAtMs = systemClock.nowMs();
    const words = JSON.parse(text) as Words;
    if (words.type === 'started' || words.type === 'resumed') {
      this.callId = words.call_id ?? null;
      this.#back = words.resume ?? undefined;
      greeted.resolve(true);
    }
    if (words.type !== 'goaway' || words.url === undefined || words.token === undefined) return;
    this.#back = { token: words.token, urls: [words.url, ...(this.#back?.urls ?? [])] };
    this.#leave('sent_away', systemClock.nowMs());
  }

  #leave(cause: BreakCause, nowMs: AtMs): void {
    if (this.#state !== 'talking') return;
    this.#state = 'coming_back';
    void this.#comeBack(this.breaks.begin(cause, nowMs));
  }

  /** As docs/protocol.md says: the first URL that answers; where none does, all again a little later. */
  async #comeBack(one: LineBreak): Promise<void> {
    const { jitterMs, ratio } = this.#wish;
    const untilMs = systemClock.nowMs() + COMES_BACK_FOR_MS;
    let waitMs = one.cause === 'closed' ? ratio() * jitterMs : 0;
    let againMs = AGAIN_AFTER_MS;
    while (this.#state === 'coming_back' && systemClock.nowMs() < untilMs) {
      if (waitMs > 0) await sleep(systemClock, waitMs);
      const outcome = await this.#tryAll(one);
      if (outcome !== 'refused') return;
      waitMs = againMs * (1 + ratio() / 4);
      againMs = Math.min(2 * againMs, AGAIN_AFTER_MS_MAX);
    }
    this.#state = 'over';
  }

  async #tryAll(one: LineBreak): Promise<'back' | 'gone' | 'refused'> {
    const { token, urls } = this.#back ?? { token: '', urls: [] };
    // Who was silent is asked last: its port may still take connections.
    const [first, ...others] = urls;
    const tried = one.cause === 'silent' && first !== undefined ? [...others, first] : urls;
    for (const url of tried) {
      if (this.#state !== 'coming_back') return 'gone';
      const dialledAtMs = systemClock.nowMs();
      try {
        const line = await this.#open(`${url}/r/${token}`, { type: 'resume', token });
        if (await greetingOf(line)) {
          this.#settle(line, one, dialledAtMs);
          return 'back';
        }
        line.wire.destroy();
        this.breaks.refuse(one, 'closed before resumed');
      } catch (error) {
        this.breaks.refuse(one, messageOf(error));
        if (messageOf(error).includes(' 404')) {
          this.#state = 'over';
          return 'gone';
        }
      }
    }
    return 'refused';
  }

  #settle(line: Line, one: LineBreak, dialledAtMs: AtMs): void {
    const old = this.#line;
    this.#line = line;
    one.dialledAtMs = dialledAtMs;
    one.backAtMs = systemClock.nowMs();
    this.#state = 'talking';
    if (old === undefined) return;
    // What comes on a line that was left in silence is too late to be of use.
    if (one.cause !== 'sent_away' || !old.wire.isOpen) return old.wire.destroy();
    // Where two are open by the protocol's own wish, whatever is said twice is to be heard.
    old.wire.close();
    setTimeout(() => old.wire.destroy(), OLD_LINE_MS);
  }

  #say(words: object): void {
    if (this.#line?.wire.isOpen === true) this.#line.wire.send(JSON.stringify(words));
  }
}

function greetingOf(line: Line): Promise<boolean> {
  const late = setTimeout(() => line.greeted.resolve(false), RESUMED_WITHIN_MS);
  return line.greeted.promise.finally(() => clearTimeout(late));
}
