import { describe, expect, it } from 'vitest';
import { loadNeural, type OnnxRuntime } from '../../../src/media/voice/neural-detector.ts';

/** What stands in for `onnxruntime-node`: its shape and nothing of a network. Louder windows are likelier. */
class Tensor {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];

  constructor(_type: string, data: Float32Array | BigInt64Array, dims: readonly number[]) {
    this.data = data;
    this.dims = dims;
  }
}

type Feeds = Readonly<Record<'input' | 'state' | 'sr', Tensor>>;

function fakeRuntime(heard: Feeds[], answer = loudness): OnnxRuntime {
  const run = (feeds: Feeds): Promise<Record<string, Tensor>> => {
    const copy = { ...feeds, input: new Tensor('float32', feeds.input.data.slice(), feeds.input.dims) };
    heard.push(copy);
    return answer(feeds);
  };
  const session = { run: run as never };
  return { InferenceSession: { create: () => Promise.resolve(session) }, Tensor };
}

function loudness({ input, state }: Feeds): Promise<Record<string, Tensor>> {
  const loudest = Math.max(...(input.data as Float32Array));
  const next = Float32Array.from(state.data as Float32Array, (value) => value + 1);
  return Promise.resolve({
    output: new Tensor('float32', Float32Array.of(loudest), [1, 1]),
    stateN: new Tensor('float32', next, [2, 1, 128]),
  });
}

/** Lets every promise that can go on go on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function openOver(runtime: unknown, sampleRateHz = 8000) {
  const importRuntime = (): Promise<unknown> => Promise.resolve(runtime);
  return (await loadNeural({ modelFile: 'a.onnx', importRuntime })).open(sampleRateHz, 2);
}

describe('a neural voice detector', () => {
  it('says which package is missing', async () => {
    // The package is no dependency, so this is the real import that fails.
    await expect(loadNeural({ modelFile: 'a.onnx' })).rejects.toThrow(/npm install onnxruntime-node/);
  });

  it('says that it needs a model, and which one cannot be loaded', async () => {
    await expect(loadNeural({})).rejects.toThrow(/OMNIVOICE_VAD_MODEL/);
    const runtime = { InferenceSession: { create: () => Promise.reject(new Error('no such file')) } };
    await expect(openOver(runtime)).rejects.toThrow(/a\.onnx cannot be loaded: no such file/);
  });

  it('finds the runtime in a package of the old kind too', async () => {
    const detector = await openOver({ default: fakeRuntime([]) });
    expect(detector.hopSamples).toBe(80);
  });

  it.each([
    [8000, 256, 32],
    [16_000, 512, 64],
  ])(
    'at %d Hz tells windows of %d samples after the last %d of the window before',
    async (rateHz, window, context) => {
      const heard: Feeds[] = [];
      const detector = await openOver(fakeRuntime(heard), rateHz);
      for (let hop = 0; hop < 32; hop++) {
        detector.isVoice(Int16Array.from({ length: rateHz / 100 }, (_, i) => hop * (rateHz / 100) + i));
        await settled();
      }
      const inputs = heard.map(({ input }) =>
        Array.from(input.data as Float32Array, (value) => value * 32_768),
      );
      expect(inputs).toHaveLength(10);
      inputs.forEach((input, index) => {
        const expected = Array.from({ length: context + window }, (_, i) => index * window - context + i);
        expect(input).toEqual(expected.map((value) => Math.max(0, value)));
      });
      expect(heard[0]!.sr.data).toEqual(BigInt64Array.of(BigInt(rateHz)));
      // The state that came out goes in again.
      expect(heard.map(({ state }) => state.data[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(heard[0]!.state.dims).toEqual([2, 1, 128]);
    },
  );

  it('begins at its probability and ends lower', async () => {
    const detector = await openOver(fakeRuntime([]));
    const opinions: boolean[] = [];
    for (const peak of [0.1, 0.45, 0.55, 0.4, 0.4, 0.3, 0.45]) {
      // Four hops fill at least one window.
      for (let hop = 0; hop < 8; hop++) {
        detector.isVoice(new Int16Array(80).fill(peak * 32_768));
        await settled();
      }
      opinions.push(detector.isVoice(new Int16Array(80).fill(peak * 32_768)));
      await settled();
    }
    expect(opinions).toEqual([false, false, true, true, true, false, false]);
  });

  it('leaves out and counts the windows that come while one is on its way', async () => {
    const heard: Feeds[] = [];
    const detector = await openOver(fakeRuntime(heard));
    for (let hop = 0; hop < 32; hop++) detector.isVoice(new Int16Array(80));
    await settled();
    expect(detector.stats).toEqual({ windows: 1, skippedWindows: 9, failedWindows: 0 });
  });

  it('hears nobody and counts when the network fails', async () => {
    const detector = await openOver(fakeRuntime([], () => Promise.reject(new Error('out of memory'))));
    for (let hop = 0; hop < 8; hop++) {
      expect(detector.isVoice(new Int16Array(80).fill(20_000))).toBe(false);
      await settled();
    }
    expect(detector.stats.failedWindows).toBe(2);
  });

  it('is not there for other rates, and is deaf once closed', async () => {
    await expect(openOver(fakeRuntime([]), 48_000)).rejects.toThrow(/no voice detector for 48000 Hz/);
    const detector = await openOver(fakeRuntime([]));
    detector.close();
    expect(() => detector.isVoice(new Int16Array(80))).toThrow(/closed/);
  });
});
