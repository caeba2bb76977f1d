import { DtmfBank, HOP_MS } from './dtmf-bank.ts';
import { DTMF_DEFAULTS, type DtmfSettings } from './dtmf-settings.ts';
import { KeyFinder } from './key-finder.ts';
import { PressedKey } from './pressed-key.ts';
import { powerOfDbm0 } from '../power.ts';
import { TelephoneHops, type HopClock, type HopListener } from '../telephone-hops.ts';

/** A key is down, told at the moment that is sure. */
export interface KeyPressed {
  readonly type: 'key_pressed';
  readonly digit: string;
  /** Media time of the hop that made it sure. */
  readonly atMs: number;
  /** Media time of its first sample, to a few ms. */
  readonly onsetMs: number;
}

/** And up again. */
export interface KeyReleased {
  readonly type: 'key_released';
  readonly digit: string;
  readonly atMs: number;
  readonly onsetMs: number;
  /** From its first to its last sample, bridged interruptions included. */
  readonly durationMs: number;
}

export type KeyEdge = KeyPressed | KeyReleased;

const NONE: readonly KeyEdge[] = Object.freeze([]);
/** Softer than this beside the softest tone of a key is silence. */
const SILENCE_BELOW_DB = 6;
/** A tone that is not sure yet may falter for this long. */
const FALTER_MAX_MS = 12;
/** A key goes on over a gap of this length: three lost packets do not press it twice. */
const GAP_MAX_MS = 60;

/** Keys that are heard in a call's sound (DTMF, ITU-T Q.23 and Q.24). Nothing is allocated but the edges. */
export class DtmfDetector implements HopListener {
  readonly stats = { keys: 0, hops: 0 };
  readonly #settings: DtmfSettings;
  readonly #hops: TelephoneHops;
  readonly #bank: DtmfBank;
  readonly #finder: KeyFinder;
  // Two that change places: what rises is held once it is sure.
  #pressed = new PressedKey();
  #next = new PressedKey();
  #edges: KeyEdge[] | undefined;
  #heardUntilMs = 0;

  constructor(sampleRateHz: number, settings: DtmfSettings = DTMF_DEFAULTS) {
    this.#settings = settings;
    this.#hops = new TelephoneHops(sampleRateHz, HOP_MS, this);
    this.#bank = new DtmfBank(powerOfDbm0(settings.levelMinDbm0 - SILENCE_BELOW_DB));
    this.#finder = new KeyFinder(settings);
  }

  /** Whether a key is down. */
  get isPressed(): boolean {
    return this.#pressed.key !== -1;
  }

  /** Any number of samples whose first is at `mediaMs`; what became sure by their end. */
  hear(samples: Int16Array, mediaMs: number): readonly KeyEdge[] {
    this.#edges = undefined;
    this.#hops.hear(samples, mediaMs);
    return this.#edges ?? NONE;
  }

  /** The stream ends: a key that is down is up. */
  finish(): readonly KeyEdge[] {
    this.#edges = undefined;
    this.#release(this.#heardUntilMs);
    this.#next.clear();
    this.#bank.forget();
    return this.#edges ?? NONE;
  }

  hearHop(hop: Float32Array, clock: HopClock): void {
    this.stats.hops++;
    this.#heardUntilMs = clock.endMs;
    this.#bank.hear(hop);
    const key = this.#finder.find(this.#bank);
    if (this.#pressed.key !== -1) this.#hold(key, clock);
    // While a key is down its own tone is not a new one.
    if (this.#next.key === -1 && (key === -1 || key === this.#pressed.key)) return;
    this.#rise(key, clock);
  }

  skip(gapMs: number): void {
    this.#bank.forget();
    this.#next.clear();
    if (gapMs < 0 || gapMs > GAP_MAX_MS) this.#release(this.#heardUntilMs);
  }

  #hold(key: number, clock: HopClock): void {
    const pressed = this.#pressed;
    pressed.hear(this.#bank, key === pressed.key, clock);
    if (pressed.goneMs >= this.#settings.pauseMinMs) this.#release(pressed.endedMs(clock.endMs));
  }

  #rise(key: number, clock: HopClock): void {
    const next = this.#next;
    if (next.key === -1 || (key !== -1 && key !== next.key)) next.begin(key, this.#bank);
    next.hear(this.#bank, key === next.key, clock);
    if (next.goneMs > FALTER_MAX_MS) next.clear();
    else if (key === next.key && next.isSure(this.#settings)) this.#press(clock.endMs);
  }

  #press(endMs: number): void {
    // A key may follow upon another without a pause.
    this.#release(this.#next.onsetMs);
    [this.#pressed, this.#next] = [this.#next, this.#pressed];
    this.#pressed.settle();
    const { digit, onsetMs } = this.#pressed;
    this.stats.keys++;
    this.#tell({ type: 'key_pressed', digit, atMs: endMs, onsetMs: rounded(onsetMs) });
  }

  #release(endedMs: number): void {
    const pressed = this.#pressed;
    if (pressed.key === -1) return;
    const { digit } = pressed;
    const onsetMs = rounded(pressed.onsetMs);
    const durationMs = Math.max(0, rounded(endedMs) - onsetMs);
    this.#tell({ type: 'key_released', digit, atMs: this.#heardUntilMs, onsetMs, durationMs });
    pressed.clear();
  }

  #tell(edge: KeyEdge): void {
    this.#edges ??= [];
    this.#edges.push(edge);
  }
}

function rounded(ms: number): number {
  return Math.round(ms);
}
