import { WebSocket } from 'ws';
import type { Ticket } from '../../test/live/guest.ts';
import { until, type House } from '../../test/live/house.ts';
import { NativeCaller } from '../../test/live/native-caller.ts';
import { Samples, type Distribution } from '../load/distribution.ts';

const FRAME_BYTES = 160;
// Codes of µ-law that an echo gives back as they went, six bits in each.
const FIRST_CODE = 0x80;
const DIGIT_BITS = 6;
const DIGITS = 4;
/** Frames that may be on their way: twenty seconds of them. */
const UNDER_WAY_MAX = 1_024;

/** What a group of calls has heard of what it said. */
export interface EchoFigures {
  readonly roundTripMs: Distribution;
  readonly saidFrames: number;
  /** Heard again after a later one, or twice. */
  readonly doubledFrames: number;
}

/** How long the frames of some calls were on their way, there and back. */
export class EchoTimes {
  #roundTripMs = new Samples();
  #saidFrames = 0;
  #doubledFrames = 0;
  #isMeasuring = false;

  begin(): void {
    this.#isMeasuring = true;
  }

  end(): EchoFigures {
    this.#isMeasuring = false;
    const roundTripMs = this.#roundTripMs.distribution();
    return { roundTripMs, saidFrames: this.#saidFrames, doubledFrames: this.#doubledFrames };
  }

  /** Has the caller say numbered frames, and times each that comes back. */
  listenTo(caller: NativeCaller): void {
    const saidAtMs = new Float64Array(UNDER_WAY_MAX);
    let said = 0;
    let highest = -1;
    caller.onAudio = (frame) => {
      const number = numberOf(frame);
      if (number <= highest) this.#doubledFrames++;
      highest = Math.max(highest, number);
      if (this.#isMeasuring) this.#roundTripMs.push(performance.now() - saidAtMs[number % UNDER_WAY_MAX]!);
    };
    caller.speak(() => {
      if (this.#isMeasuring) this.#saidFrames++;
      saidAtMs[said % UNDER_WAY_MAX] = performance.now();
      return frameOf(said++);
    });
  }
}

/** Where a call is placed, and where its caller's socket ends up. */
export interface Doors {
  readonly house: House;
  /** Of the node that has the call. */
  readonly ownerUrl: string;
  /** Of another one, where its leg is to be relayed. */
  readonly relayUrl?: string;
}

/** One echo call with a listener at its node, whose caller may come to it through another node. */
export class TimedCall {
  readonly #caller: NativeCaller;
  readonly #listener: WebSocket;

  private constructor(caller: NativeCaller, listener: WebSocket) {
    this.#caller = caller;
    this.#listener = listener;
  }

  static async place({ house, ownerUrl, relayUrl }: Doors, times: EchoTimes): Promise<TimedCall> {
    const caller = await NativeCaller.dial(ownerUrl);
    const wish = { role: 'supervisor' };
    const ticket = await told(() => house.api<Ticket>('POST', `/calls/${caller.callId}/legs`, wish));
    const call = new TimedCall(caller, await listen(ticket));
    if (relayUrl !== undefined) {
      // Somebody else of the call stays on a line of its node: so does the call.
      await caller.leaveSilentLine(relayUrl);
      await until('a relay', () => caller.resumedTimes() === 1);
    }
    times.listenTo(caller);
    return call;
  }

  get isOnTheLine(): boolean {
    return this.#caller.isOnOpenLine;
  }

  hangUp(): void {
    this.#caller.hangUp();
    this.#listener.close(1000);
  }
}

/** A call is known to the API a moment after its caller was told of it. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Hears, and keeps nothing. */
async function listen({ ws_url, token }: Ticket): Promise<WebSocket> {
  const socket = new WebSocket(ws_url, ['omnivoice.v1', token]);
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify({ type: 'start' })));
    socket.once('message', () => resolve());
    socket.once('close', () => reject(new Error('the listener was not let in')));
  });
  return socket;
}

function frameOf(number: number): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES, FIRST_CODE);
  for (let digit = 0; digit < DIGITS; digit++) {
    frame[digit] = FIRST_CODE + ((number >> (digit * DIGIT_BITS)) & (2 ** DIGIT_BITS - 1));
  }
  return frame;
}

function numberOf(frame: Buffer): number {
  let number = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    number |= (frame[digit]! - FIRST_CODE) << (digit * DIGIT_BITS);
  }
  return number;
}
