import type { AtMs, Clock } from '../../base/clock.ts';
import { refuse, VoiceError } from '../../base/errors.ts';
import { frameSamples, KIB } from '../../base/units.ts';
import type { ForkDialler, ForkLine, ForkListener, ForkWish } from '../../call/forks/fork-line.ts';
import type { ClientDialect, ClientSession } from '../../dialect/client.ts';
import { clientDialectOf } from '../../dialect/client-registry.ts';
import type { Inbound, ReadResult } from '../../dialect/dialect.ts';
import type { DialledStart } from '../../gateway/dialling/dialled-connection.ts';
import type { Dialler } from '../../gateway/dialling/dialler.ts';
import { encodeMulawInto } from '../../media/codecs/g711.ts';
import { encodeL16LittleInto } from '../../media/codecs/l16.ts';
import { l16, PCMU_8K } from '../../media/format.ts';
import { FrameRing } from '../../media/frame-ring.ts';
import { RawSession } from './raw-session.ts';

/** A second of sound may wait for a socket: the words from before an onset go out at once. */
const WAITING_FRAMES_MAX = 50;
const INBOUND_BYTES = 64 * KIB;
const CLOSE_NORMAL = 1000;
/** Deepgram hears each channel by itself. */
const TWO_CHANNELS = { channels: '2', multichannel: 'true' };

export interface ForkStats {
  dialled: number;
  sentFrames: number;
  droppedFrames: number;
}

/** Connections for forks, through the guard and the limits of everything that is dialled. */
export class ForkLines implements ForkDialler {
  readonly stats: ForkStats = { dialled: 0, sentFrames: 0, droppedFrames: 0 };
  readonly #dialler: () => Pick<Dialler, 'dial'>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #inbound: Inbound = {
    payload: new Uint8Array(INBOUND_BYTES),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };

  constructor(dialler: () => Pick<Dialler, 'dial'>, clock: Pick<Clock, 'nowMs'>) {
    this.#dialler = dialler;
    this.#clock = clock;
  }

  dial(wish: ForkWish, listener: ForkListener): () => void {
    const { session, keepAliveMs } = this.#sessionOf(wish);
    this.stats.dialled++;
    const dial = this.#dialler().dial(
      { session, keepAliveMs },
      {
        started: (start, nowMs) => {
          const { outbound } = start.started;
          if (outbound.codec !== wish.codec || outbound.sampleRateHz !== wish.sampleRateHz) {
            return refuse('unsupported_format', `${wish.protocol} has no ${wish.codec} at this rate`);
          }
          listener.opened(new DialledForkLine(wish, start, this.stats), nowMs);
          return {
            receive: (message, isBinary, atMs) =>
              this.#hear(session.read(message, isBinary, this.#inbound), start, listener, atMs),
            lost: (cause, atMs) => {
              const error = cause.type === 'broken' ? cause.fault : `closed_${cause.closeCode}`;
              listener.gone(error, atMs);
            },
          };
        },
        failed: ({ result }, nowMs) => listener.gone(result, nowMs),
      },
    );
    return () => dial.cancel();
  }

  #hear(said: ReadResult, start: DialledStart, listener: ForkListener, nowMs: AtMs): void {
    switch (said.type) {
      case 'several':
        for (const one of said.inputs) this.#hear(one, start, listener, nowMs);
        return;
      case 'reply':
        return start.socket.send(said.message);
      case 'transcript': {
        if (!said.isFinal) return;
        const { text, startMs, endMs } = said;
        const channel = said.speaker === 'caller' ? 'first' : 'second';
        return listener.heard({ channel, text, startMs, endMs }, nowMs);
      }
      // Whatever else it says, or breaks, is its own affair: it only listens.
      default:
    }
  }

  #sessionOf(wish: ForkWish): { session: ClientSession; keepAliveMs: number } {
    if (wish.protocol === 'raw') return { session: new RawSession(wish), keepAliveMs: 0 };
    const dialect = dialectOf(wish.protocol);
    const { url, api_key: apiKey, model, language, forkId, callId, sampleRateHz, codec, channels } = wish;
    const session = dialect.openClient({
      nowMs: this.#clock.nowMs(),
      url,
      apiKey,
      model,
      language,
      format: codec === 'pcmu' ? PCMU_8K : l16(sampleRateHz),
      voice: null,
      instructions: null,
      greeting: null,
      tools: [],
      history: [],
      callId,
      streamId: forkId,
      from: null,
      to: null,
      parameters: {},
      options: {},
      settings: channels === 2 ? TWO_CHANNELS : {},
    });
    return { session, keepAliveMs: dialect.capabilities.keepAliveMs };
  }
}

/** Sends what the socket takes; what waits for more than a second is overwritten by what was said since. */
class DialledForkLine implements ForkLine {
  readonly stats = { sentFrames: 0, droppedFrames: 0 };
  readonly #wish: ForkWish;
  readonly #start: DialledStart;
  readonly #all: ForkStats;
  readonly #ring: FrameRing;
  readonly #frame: Int16Array;
  readonly #bytes: Uint8Array;

  constructor(wish: ForkWish, start: DialledStart, all: ForkStats) {
    const samples = frameSamples(wish.sampleRateHz) * wish.channels;
    this.#wish = wish;
    this.#start = start;
    this.#all = all;
    this.#ring = new FrameRing(WAITING_FRAMES_MAX, samples);
    this.#frame = new Int16Array(samples);
    this.#bytes = new Uint8Array(wish.codec === 'pcmu' ? samples : 2 * samples);
  }

  send(frame: Int16Array): void {
    const before = this.#ring.stats.overwrittenFrames;
    this.#ring.push(frame);
    const dropped = this.#ring.stats.overwrittenFrames - before;
    this.stats.droppedFrames += dropped;
    this.#all.droppedFrames += dropped;
    while (this.#start.socket.bufferedBytes === 0 && this.#ring.shiftInto(this.#frame)) this.#sendNext();
  }

  close(why: 'ended' | 'moved'): void {
    const { session, socket } = this.#start;
    if (why === 'moved') return socket.close(CLOSE_NORMAL, 'call_moved');
    const farewell = session.writeEnd('hangup');
    if (farewell !== undefined) socket.send(farewell);
    socket.close(CLOSE_NORMAL, 'call_ended', session.endGraceMs);
  }

  #sendNext(): void {
    const { session, socket } = this.#start;
    if (this.#wish.codec === 'pcmu') encodeMulawInto(this.#frame, this.#bytes);
    else encodeL16LittleInto(this.#frame, this.#bytes);
    const message = session.writeAudio(this.#bytes);
    if (message === undefined) return;
    const isSent = socket.sendAudio(message, session.audioIsBinary);
    this.stats[isSent ? 'sentFrames' : 'droppedFrames']++;
    this.#all[isSent ? 'sentFrames' : 'droppedFrames']++;
  }
}

function dialectOf(name: string): ClientDialect {
  const dialect = clientDialectOf(name);
  if (dialect !== undefined) return dialect;
  throw new VoiceError('invalid_argument', `nobody speaks ${name}`, { field: 'protocol' });
}
