import { describe, expect, it } from 'vitest';
import { GAIN_MAX, Mixer } from '../../../src/media/mixer/mixer.ts';
import { noise, sine, stepMax } from '../conceal/sounds.ts';

const FRAME = 160;
const [ANN, BEN, CAT] = [0, 1, 2];

describe('a mixer', () => {
  it('passes every bit of one source alone', () => {
    const mixer = newMixer();
    const sound = noise(50 * FRAME, 32_767);
    sound.set([-32_768, 32_767, -32_768], 10 * FRAME);
    const heard = play(mixer, 50, (tick) => mixer.add(frameOf(sound, tick), ANN));
    expect(heard.subarray(FRAME)).toEqual(sound.subarray(FRAME));
    expect(mixer.limiter.stats).toEqual({ limitedFrames: 0, saturatedSamples: 0 });
  });

  it('adds sources up, sample by sample', () => {
    const mixer = newMixer();
    const [ann, ben, cat] = [noise(8 * FRAME, 9000, 1), noise(8 * FRAME, 9000, 2), noise(8 * FRAME, 9000, 3)];
    const heard = play(mixer, 8, (tick) => {
      mixer.add(frameOf(ann, tick), ANN);
      mixer.add(frameOf(ben, tick), BEN);
      mixer.add(frameOf(cat, tick), CAT);
    });
    const sum = ann.map((sample, i) => sample + ben[i]! + cat[i]!);
    expect(heard.subarray(FRAME)).toEqual(sum.subarray(FRAME));
  });

  it('never plays a listener its own voice', () => {
    const mixer = new Mixer({ sampleRateHz: 8000, sources: 3, listener: BEN });
    const ann = noise(6 * FRAME, 9000, 1);
    const heard = play(mixer, 6, (tick) => {
      mixer.add(frameOf(ann, tick), ANN);
      mixer.add(noise(FRAME, 20_000, 5), BEN);
    });
    expect(heard.subarray(FRAME)).toEqual(ann.subarray(FRAME));
    mixer.begin();
    mixer.add(noise(FRAME, 20_000), BEN);
    const target = new Int16Array(FRAME);
    mixer.takeInto(target);
    mixer.begin();
    mixer.add(noise(FRAME, 20_000), BEN);
    expect(mixer.takeInto(target)).toBe(false);
    expect(Math.max(...target.map(Math.abs))).toBe(0);
  });

  it('is silent when nobody speaks, and says so', () => {
    const mixer = newMixer();
    const target = new Int16Array(FRAME).fill(7);
    mixer.begin();
    expect(mixer.takeInto(target)).toBe(false);
    expect(target).toEqual(new Int16Array(FRAME));
  });

  it('makes sources as loud as the routing matrix says', () => {
    const mixer = newMixer();
    const ann = noise(4 * FRAME, 5000, 1);
    mixer.setGain(ANN, 0.25);
    mixer.setGain(BEN, GAIN_MAX);
    const ben = noise(4 * FRAME, 5000, 2);
    const heard = play(mixer, 4, (tick) => {
      mixer.add(frameOf(ann, tick), ANN);
      mixer.add(frameOf(ben, tick), BEN);
    });
    const sum = ann.map((sample, i) => Math.round(0.25 * sample + 4 * ben[i]!));
    expect(heard.subarray(FRAME)).toEqual(sum.subarray(FRAME));
    expect(() => mixer.setGain(ANN, 4.01)).toThrow('0 to 4');
    expect(() => mixer.setGain(ANN, -1)).toThrow('0 to 4');
    expect(() => mixer.setGain(ANN, NaN)).toThrow('0 to 4');
  });

  it('reaches a new gain over one frame, without a step', () => {
    const mixer = newMixer();
    const level = new Int16Array(10 * FRAME).fill(10_000);
    const heard = play(mixer, 10, (tick) => {
      if (tick === 3) mixer.setGain(ANN, 0);
      if (tick === 6) mixer.setGain(ANN, 2);
      mixer.add(frameOf(level, tick), ANN);
    });
    expect(stepMax(heard, FRAME)).toBeLessThanOrEqual(20_000 / FRAME);
    expect(heard[3 * FRAME - 1]).toBe(10_000);
    expect(heard[4 * FRAME - 1]).toBe(0);
    expect(heard.subarray(4 * FRAME, 6 * FRAME)).toEqual(new Int16Array(2 * FRAME));
    expect(heard.subarray(7 * FRAME)).toEqual(new Int16Array(3 * FRAME).fill(20_000));
  });

  it('lets sources come and go in the middle of a sound without a click', () => {
    const mixer = newMixer();
    const tone = sine(8000, 220, 20 * FRAME, 12_000);
    const heard = play(mixer, 20, (tick) => {
      if (tick >= 3 && tick < 9) mixer.add(frameOf(tone, tick), ANN);
      if (tick >= 12 && tick < 13) mixer.add(frameOf(tone, tick), ANN);
    });
    // 220 Hz crosses zero nowhere near the edges of these frames: cut off plainly, the steps are larger.
    const plain = tone.map((sample, i) => (i >= 3 * FRAME && i < 9 * FRAME ? sample : 0));
    expect(stepMax(plain)).toBeGreaterThan(2 * stepMax(tone));
    expect(stepMax(heard)).toBeLessThan(1.5 * stepMax(tone));
    expect(heard.subarray(9 * FRAME + 40, 12 * FRAME)).toEqual(new Int16Array(3 * FRAME - 40));
    expect(heard.subarray(4 * FRAME, 9 * FRAME)).toEqual(tone.subarray(4 * FRAME, 9 * FRAME));
  });

  it('still sounds for the one frame in which a source fades out, then no more', () => {
    const mixer = newMixer();
    const target = new Int16Array(FRAME);
    play(mixer, 2, () => mixer.add(noise(FRAME, 9000), ANN));
    const answers = [0, 1, 2].map(() => {
      mixer.begin();
      return mixer.takeInto(target);
    });
    expect(answers).toEqual([true, false, false]);
  });

  it('goes on with who was heard before the mix began, bit for bit', () => {
    const mixer = newMixer();
    const sound = noise(6 * FRAME, 9000);
    mixer.carryOn(ANN, frameOf(sound, 0));
    const heard = play(mixer, 5, (tick) => mixer.add(frameOf(sound, tick + 1), ANN));
    expect(heard).toEqual(sound.subarray(FRAME));
  });

  it('gives a place to somebody else without a trace of who had it', () => {
    const mixer = newMixer();
    mixer.setGain(ANN, 0.5);
    play(mixer, 3, () => mixer.add(noise(FRAME, 9000), ANN));
    mixer.release(ANN);
    const target = new Int16Array(FRAME);
    mixer.begin();
    expect(mixer.takeInto(target)).toBe(false);
    expect(target).toEqual(new Int16Array(FRAME));
    const next = noise(3 * FRAME, 9000, 9);
    const heard = play(mixer, 3, (tick) => mixer.add(frameOf(next, tick), ANN));
    expect(heard.subarray(FRAME)).toEqual(next.subarray(FRAME));
  });

  it('takes 128 sources at full scale and gain without a wrong sum', () => {
    const mixer = new Mixer({ sampleRateHz: 8000, sources: 128 });
    const heard = play(mixer, 3, () => {
      for (let source = 0; source < 128; source++) {
        mixer.setGain(source, 4);
        const level = source % 2 === 0 ? 32_767 : -32_768;
        mixer.add(new Int16Array(FRAME).fill(level), source);
      }
    });
    expect(heard.subarray(FRAME)).toEqual(new Int16Array(2 * FRAME).fill(-256));
    expect(() => new Mixer({ sampleRateHz: 8000, sources: 129 })).toThrow('128');
    expect(() => mixer.add(new Int16Array(FRAME), 128)).toThrow('place');
  });
});

function newMixer(): Mixer {
  return new Mixer({ sampleRateHz: 8000, sources: 3 });
}

function play(mixer: Mixer, ticks: number, add: (tick: number) => void): Int16Array {
  const heard = new Int16Array(ticks * FRAME);
  for (let tick = 0; tick < ticks; tick++) {
    mixer.begin();
    add(tick);
    mixer.takeInto(heard.subarray(tick * FRAME, (tick + 1) * FRAME));
  }
  return heard;
}

function frameOf(sound: Int16Array, index: number): Int16Array {
  return sound.subarray(index * FRAME, (index + 1) * FRAME);
}
