import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { messageOf, refuse, VoiceError, type Refusal } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { MIB } from '../../base/units.ts';
import type { Sound, Sounds } from '../../call/sounds/sounds.ts';
import { guardedConnector } from '../../delivery/wire/connector.ts';
import { checkUrl, parseEgressAllow, type EgressAllow } from '../../delivery/wire/guard.ts';
import { HostResolver } from '../../delivery/wire/resolver.ts';
import { openResampler, RESAMPLED_RATES_HZ } from '../../media/resampler/resampler.ts';
import { readWav, type WavAudio } from '../../media/wav.ts';
import { findFfmpeg, transcode } from '../transcoder.ts';

/** What the sounds of one node may take. */
const SOUND_LIMITS = {
  fileBytesMax: 16 * MIB,
  durationMsMax: 600_000,
  /** Fetching and decoding: a command is answered within two seconds, done or refused. */
  timeoutMs: 1_600,
  openingMax: 4,
  keptBytesMax: 64 * MIB,
  /** What a URL holds may change: so long it is played again without being asked for. */
  keptMs: 60_000,
} as const;

export type SoundLimits = { readonly [K in keyof typeof SOUND_LIMITS]: number };

export interface NodeSoundsOptions {
  readonly clock: Clock;
  readonly egressAllow: readonly string[];
  /** The operator's own sounds: `file:name`. */
  readonly directory: string;
  readonly limits?: Partial<SoundLimits>;
}

interface Kept {
  readonly sound: Sound;
  readonly untilAtMs: number;
}

// No folders, and nothing hidden: a name can lead nowhere else.
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** A WAV file up to this length is decoded here, in a millisecond or so; a longer one by FFmpeg. */
const OWN_WAV_BYTES_MAX = MIB;
const CHUNK_FRAMES = 50;

/** Sounds for calls, out of files and URLs: guarded as hooks are, bounded in size, time and number. */
export class NodeSounds implements Sounds, Closeable {
  readonly stats = { opened: 0, refused: 0, fetched: 0, busy: 0, evicted: 0 };
  readonly #clock: Clock;
  readonly #directory: string;
  readonly #limits: SoundLimits;
  readonly #allow: EgressAllow;
  readonly #agent: Agent;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  #opening = 0;

  constructor({ clock, egressAllow, directory, limits }: NodeSoundsOptions) {
    this.#clock = clock;
    this.#directory = directory;
    this.#limits = { ...SOUND_LIMITS, ...limits };
    this.#allow = parseEgressAllow(egressAllow);
    const resolver = new HostResolver(clock);
    const { timeoutMs, fileBytesMax } = this.#limits;
    this.#agent = new Agent({
      connect: guardedConnector({ allow: this.#allow, resolver, timeoutMs, clock }),
      maxResponseSize: fileBytesMax,
    });
  }

  async open(url: string, sampleRateHz: number): Promise<Sound | Refusal> {
    const name = `${sampleRateHz} ${url}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.untilAtMs > this.#clock.nowMs()) return kept.sound;
    if (this.#opening >= this.#limits.openingMax) {
      this.stats.busy++;
      return refuse('overloaded', 'too many sounds are being opened');
    }
    this.#opening++;
    try {
      const file = await this.#read(url);
      const sound = file instanceof Uint8Array ? await this.#decode(file, sampleRateHz) : file;
      if ('type' in sound) this.stats.refused++;
      else this.#keep(name, sound);
      return sound;
    } catch (error) {
      this.stats.refused++;
      const fault = error instanceof VoiceError ? error.code : 'failed_precondition';
      return refuse(fault, `the sound cannot be had: ${messageOf(error)}`);
    } finally {
      this.#opening--;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #read(url: string): Promise<Uint8Array | Refusal> {
    if (url.startsWith('file:')) return this.#readFile(url.slice('file:'.length));
    const checked = checkUrl(url, this.#allow);
    if (!(checked instanceof URL)) return checked;
    this.stats.fetched++;
    const { statusCode, body } = await request(checked, {
      dispatcher: this.#agent,
      signal: AbortSignal.timeout(this.#limits.timeoutMs),
      headers: { accept: 'audio/*' },
    });
    if (statusCode !== 200) {
      await body.dump();
      return refuse('failed_precondition', `the sound’s server answered ${statusCode}`);
    }
    return body.bytes();
  }

  async #readFile(name: string): Promise<Uint8Array | Refusal> {
    if (!FILE_NAME.test(name)) return refuse('invalid_argument', 'url names no file of the sounds folder');
    const file = await open(join(this.#directory, name)).catch(() => undefined);
    if (file === undefined) return refuse('failed_precondition', `there is no sound ${name}`);
    try {
      const { size } = await file.stat();
      if (size > this.#limits.fileBytesMax) return refuse('payload_too_large', `${name} is too long`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  async #decode(file: Uint8Array, sampleRateHz: number): Promise<Sound | Refusal> {
    const isOwn = file.length <= OWN_WAV_BYTES_MAX || findFfmpeg() === undefined;
    const wav = isOwn ? readWav(file) : undefined;
    if (wav !== undefined && 'samples' in wav && RESAMPLED_RATES_HZ.includes(wav.sampleRateHz)) {
      return { sampleRateHz, samples: await resampled(wav, sampleRateHz) };
    }
    const { durationMsMax, timeoutMs } = this.#limits;
    const options = { durationMsMax, timeoutMs, clock: this.#clock };
    return { sampleRateHz, samples: await transcode(file, sampleRateHz, options) };
  }

  #keep(name: string, sound: Sound): void {
    this.stats.opened++;
    this.#forget(name);
    this.#kept.set(name, { sound, untilAtMs: this.#clock.nowMs() + this.#limits.keptMs });
    this.#keptBytes += sound.samples.byteLength;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#limits.keptBytesMax) return;
      this.#forget(oldest);
      this.stats.evicted++;
    }
  }

  #forget(name: string): void {
    this.#keptBytes -= this.#kept.get(name)?.sound.samples.byteLength ?? 0;
    this.#kept.delete(name);
  }
}

/** At the rate wanted, a second at a time: calls go on in between. */
async function resampled({ samples, sampleRateHz: fromHz }: WavAudio, toHz: number): Promise<Int16Array> {
  if (fromHz === toHz) return samples;
  const resampler = openResampler(fromHz, toHz);
  const whole = new Int16Array(Math.ceil((samples.length * toHz) / fromHz) + 1);
  const chunkSamples = Math.ceil((fromHz * CHUNK_FRAMES) / 50);
  let written = 0;
  for (let at = 0; at < samples.length; at += chunkSamples) {
    const chunk = samples.subarray(at, at + chunkSamples);
    written += resampler.resampleInto(chunk, chunk.length, whole.subarray(written));
    await turn();
  }
  return whole.subarray(0, written);
}
