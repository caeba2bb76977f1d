import { seededDice } from '../../src/base/clock.ts';
import { FRAME_MS } from '../../src/base/units.ts';

/** One frame as it reached us. */
export interface Arrival {
  /** Its place in what the sender said, silence included. */
  readonly place: number;
  readonly sequence: number;
  readonly timestampSamples: number;
  readonly arrivedAtMs: number;
}

/** What reached us of one sender, in order of arrival, and when it had said what. */
export interface Trace {
  readonly arrivals: readonly Arrival[];
  readonly places: number;
  /** Places of silence that were never sent. */
  readonly silentPlaces: number;
  readonly sentAtMs: (place: number) => number;
}

/** A network and a sender, told in numbers. Whatever is left out is perfect. */
export interface Network {
  readonly seconds: number;
  /** How long a frame is on the way beyond the fastest one. */
  readonly delayMs?: (dice: () => number, sentAtMs: number) => number;
  /** One stream in order, as over TCP: nobody overtakes. */
  readonly isOrdered?: boolean;
  /** Gilbert-Elliott: the share lost in all, and how many in a row. */
  readonly loss?: { readonly ratio: number; readonly inARow: number };
  readonly duplicateRatio?: number;
  /** The sender's clock: +200 sends a frame every 19.996 ms. */
  readonly driftPpm?: number;
  readonly firstSequence?: number;
  readonly firstTimestampSamples?: number;
  /** Every so many frames the sequence and the timestamps begin anew. */
  readonly restartEveryFrames?: number;
  /** The sender leaves out silence: so many frames spoken, so many not. */
  readonly talk?: { readonly spokenFrames: number; readonly silentFrames: number };
  /** Nothing gets through in this time; then all of it does at once. */
  readonly stall?: { readonly fromMs: number; readonly toMs: number };
  /** At this instant the sender says so much at once, and goes on from there. */
  readonly burst?: { readonly atMs: number; readonly frames: number };
}

/** The same network and the same seed give the same trace. */
export function traceOf(network: Network, seed: number, sampleRateHz = 8000): Trace {
  const dice = seededDice(seed);
  const isLost = lossOf(network, dice);
  const places = (network.seconds * 1000) / FRAME_MS + (network.burst?.frames ?? 0);
  const sentAtMs = sendingOf(network);
  const numbering = numberingOf(network, (sampleRateHz * FRAME_MS) / 1000);
  const arrivals: Arrival[] = [];
  let silentPlaces = 0;
  let lastArrivalAtMs = 0;
  for (let place = 0; place < places; place++) {
    if (isSilent(network, place)) {
      silentPlaces++;
      continue;
    }
    const numbers = numbering(place);
    const sentMs = sentAtMs(place);
    let arrivedAtMs = sentMs + (network.delayMs?.(dice, sentMs) ?? 0);
    if (network.stall !== undefined && sentMs >= network.stall.fromMs) {
      arrivedAtMs = Math.max(arrivedAtMs, network.stall.toMs);
    }
    if (network.isOrdered === true) arrivedAtMs = Math.max(arrivedAtMs, lastArrivalAtMs);
    lastArrivalAtMs = arrivedAtMs;
    if (isLost()) continue;
    arrivals.push({ place, ...numbers, arrivedAtMs });
    if (dice() < (network.duplicateRatio ?? 0)) {
      arrivals.push({ place, ...numbers, arrivedAtMs: arrivedAtMs + dice() * 30 });
    }
  }
  arrivals.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
  return { arrivals, places, silentPlaces, sentAtMs };
}

function sendingOf({ driftPpm = 0, burst }: Network): (place: number) => number {
  const frameMs = FRAME_MS / (1 + driftPpm / 1e6);
  return (place) => {
    const atMs = 1000 + place * frameMs;
    if (burst === undefined || atMs <= burst.atMs) return atMs;
    return Math.max(burst.atMs, atMs - burst.frames * frameMs);
  };
}

function isSilent({ talk }: Network, place: number): boolean {
  if (talk === undefined) return false;
  return place % (talk.spokenFrames + talk.silentFrames) >= talk.spokenFrames;
}

type Numbers = Pick<Arrival, 'sequence' | 'timestampSamples'>;

function numberingOf(network: Network, frameSamples: number): (place: number) => Numbers {
  let sequence = network.firstSequence ?? 100;
  let timestampAtPlace0 = network.firstTimestampSamples ?? 0;
  let count = 0;
  return (place) => {
    if (network.restartEveryFrames !== undefined && ++count % network.restartEveryFrames === 0) {
      sequence += 20_000;
      timestampAtPlace0 += 1_000_000_000;
    }
    const timestampSamples = (timestampAtPlace0 + place * frameSamples) % 0x1_0000_0000;
    return { sequence: sequence++ & 0xffff, timestampSamples };
  };
}

function lossOf({ loss }: Network, dice: () => number): () => boolean {
  if (loss === undefined) return () => false;
  let isBad = false;
  const leaveRatio = 1 / loss.inARow;
  const enterRatio = (leaveRatio * loss.ratio) / (1 - loss.ratio);
  return () => {
    isBad = isBad ? dice() >= leaveRatio : dice() < enterRatio;
    return isBad;
  };
}
