import { describe, expect, it } from 'vitest';
import { loadDetectors } from '../../../src/media/voice/detectors.ts';
import { OwnDetector } from '../../../src/media/voice/own/own-detector.ts';
import { VOICE_DEFAULTS } from '../../../src/media/voice-detector.ts';

describe('the detectors', () => {
  it('are opened by name', async () => {
    const detectors = await loadDetectors();
    expect(detectors.open(8000, VOICE_DEFAULTS)).toBeInstanceOf(OwnDetector);
    const fvad = detectors.open(16_000, { ...VOICE_DEFAULTS, detector: 'fvad' });
    expect(fvad).not.toBeInstanceOf(OwnDetector);
    expect(fvad.hopSamples).toBe(160);
    fvad.close();
  });

  it('say so when a network is asked for that was not loaded', async () => {
    const detectors = await loadDetectors();
    expect(() => detectors.open(8000, { ...VOICE_DEFAULTS, detector: 'neural' })).toThrow(/not loaded/);
  });

  it('fail to load where the network is needed and not there', async () => {
    await expect(loadDetectors({ isNeuralNeeded: true, modelFile: '/nowhere/vad.onnx' })).rejects.toThrow(
      /npm install onnxruntime-node/,
    );
  });
});
