import { invariant, messageOf, VoiceError } from '../../base/errors.ts';
import type { VoiceDetector } from '../voice-detector.ts';

/** The parts of `onnxruntime-node` that are used; the package is the operator's to install. */
export interface OnnxRuntime {
  readonly InferenceSession: { create(modelFile: string, options: object): Promise<OnnxSession> };
  readonly Tensor: new (type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) => unknown;
}

interface OnnxSession {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { data: unknown }>>>;
}

/** Where the model is, and where the runtime comes from. */
export interface NeuralOptions {
  readonly modelFile?: string | undefined;
  readonly importRuntime?: () => Promise<unknown>;
}

/** Makes detectors over one loaded model. */
export interface NeuralFactory {
  /** 8 or 16 kHz; aggressiveness 0 to 3. Throws for anything else. */
  open(sampleRateHz: number, aggressiveness: number): NeuralDetector;
}

const PACKAGE = 'onnxruntime-node';
/** Probability at which a voice begins, by aggressiveness; Silero's own default is a half. */
const PROBABILITIES = [0.3, 0.4, 0.5, 0.7] as const;
/** A voice ends this much lower, as in Silero's own iterator. */
const HYSTERESIS = 0.15;
const FULL_SCALE = 32_768;
// The shape of Silero v5 (`OnnxWrapper` in its utils_vad.py): windows of 32 ms, each preceded by the end
// of the one before, and a state of 2 × 1 × 128 that goes around.
const WINDOW_MS = 32;
const CONTEXT_MS = 4;
const STATE_DIMS = [2, 1, 128] as const;
const STATE_FLOATS = 256;

/** Loads the runtime and the model, or says plainly what is missing. */
export async function loadNeural({
  modelFile,
  importRuntime = () => import(PACKAGE) as Promise<unknown>,
}: NeuralOptions): Promise<NeuralFactory> {
  if (modelFile === undefined) throw unready('it needs a model: set OMNIVOICE_VAD_MODEL');
  const runtime = await importRuntime().then(runtimeIn, (error: unknown) => {
    throw unready(`it needs the package ${PACKAGE}: npm install ${PACKAGE} (${messageOf(error)})`);
  });
  // One thread: the node has one core, and audio shares it.
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await runtime.InferenceSession.create(modelFile, options).catch((error: unknown) => {
    throw unready(`its model ${modelFile} cannot be loaded: ${messageOf(error)}`);
  });
  return {
    open: (sampleRateHz, aggressiveness) => {
      const probability = PROBABILITIES[aggressiveness];
      if ((sampleRateHz === 8000 || sampleRateHz === 16_000) && probability !== undefined) {
        return new NeuralDetector(runtime, session, sampleRateHz, probability);
      }
      const wanted = `${sampleRateHz} Hz at aggressiveness ${aggressiveness}`;
      throw new VoiceError('invalid_argument', `no voice detector for ${wanted}`);
    },
  };
}

/** A package of the old kind puts everything under `default`. */
function runtimeIn(module: unknown): OnnxRuntime {
  const { default: inner } = module as { default?: unknown };
  return ((module as Partial<OnnxRuntime>).InferenceSession === undefined ? inner : module) as OnnxRuntime;
}

function unready(why: string): VoiceError {
  return new VoiceError('failed_precondition', `the neural voice detector is not ready: ${why}`);
}

/**
 * A network's opinion. The runtime answers by promise, so a hop is judged by the last window that was
 * answered; a window that is full while one is still on its way is left out and counted.
 */
class NeuralDetector implements VoiceDetector {
  readonly hopSamples: number;
  readonly stats = { windows: 0, skippedWindows: 0, failedWindows: 0 };
  readonly #runtime: OnnxRuntime;
  readonly #session: OnnxSession;
  readonly #probabilityOn: number;
  readonly #contextSamples: number;
  /** The context, then the window that is being filled. */
  readonly #filling: Float32Array;
  /** What the runtime is reading: nobody else's until it has answered. */
  readonly #asked: Float32Array;
  readonly #rate: unknown;
  #state = new Float32Array(STATE_FLOATS);
  #filledSamples: number;
  #isAsking = false;
  #isVoice = false;
  #isClosed = false;

  constructor(runtime: OnnxRuntime, session: OnnxSession, sampleRateHz: number, probabilityOn: number) {
    this.#runtime = runtime;
    this.#session = session;
    this.#probabilityOn = probabilityOn;
    this.hopSamples = sampleRateHz / 100;
    this.#contextSamples = (sampleRateHz * CONTEXT_MS) / 1000;
    this.#filling = new Float32Array(this.#contextSamples + (sampleRateHz * WINDOW_MS) / 1000);
    this.#asked = new Float32Array(this.#filling.length);
    this.#filledSamples = this.#contextSamples;
    this.#rate = new runtime.Tensor('int64', BigInt64Array.of(BigInt(sampleRateHz)), []);
  }

  isVoice(samples: Int16Array): boolean {
    invariant(!this.#isClosed, 'a closed voice detector was asked');
    invariant(samples.length === this.hopSamples, 'a voice detector hears whole hops');
    for (let i = 0; i < samples.length; i++) {
      this.#filling[this.#filledSamples++] = samples[i]! / FULL_SCALE;
      if (this.#filledSamples === this.#filling.length) this.#turnOver();
    }
    return this.#isVoice;
  }

  close(): void {
    this.#isClosed = true;
  }

  #turnOver(): void {
    if (this.#isAsking) this.stats.skippedWindows++;
    else {
      this.#asked.set(this.#filling);
      void this.#ask();
    }
    this.#filling.copyWithin(0, this.#filling.length - this.#contextSamples);
    this.#filledSamples = this.#contextSamples;
  }

  /** Never rejects: a network that fails hears nobody, and it is counted. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.stats.windows++;
    try {
      const { Tensor } = this.#runtime;
      const answer = await this.#session.run({
        input: new Tensor('float32', this.#asked, [1, this.#asked.length]),
        state: new Tensor('float32', this.#state, STATE_DIMS),
        sr: this.#rate,
      });
      this.#state = Float32Array.from(answer['stateN']!.data as Float32Array);
      this.#hear((answer['output']!.data as Float32Array)[0]!);
    } catch {
      this.stats.failedWindows++;
      this.#isVoice = false;
    } finally {
      this.#isAsking = false;
    }
  }

  #hear(probability: number): void {
    this.#isVoice = probability >= (this.#isVoice ? this.#probabilityOn - HYSTERESIS : this.#probabilityOn);
  }
}
