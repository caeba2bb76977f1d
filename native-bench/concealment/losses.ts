/** Which frames are lost, in the order of their sending. */
export type LossPattern = (frames: number, seed: number) => Uint8Array;

/** Every frame is lost or not by itself. */
export function randomLoss(lossRatio: number): LossPattern {
  return (frames, seed) => {
    const dice = diceOf(seed);
    return Uint8Array.from({ length: frames }, () => (dice() < lossRatio ? 1 : 0));
  };
}

/**
 * Gilbert and Elliott: in the good state nothing is lost, in the bad one everything; a burst lasts
 * `burstFrames` on average, and the states come in such turns that `lossRatio` of all frames are lost.
 */
export function burstLoss(lossRatio: number, burstFrames: number): LossPattern {
  const toGood = 1 / burstFrames;
  const toBad = (toGood * lossRatio) / (1 - lossRatio);
  return (frames, seed) => {
    const dice = diceOf(seed);
    let isBad = false;
    return Uint8Array.from({ length: frames }, () => {
      isBad = isBad ? dice() >= toGood : dice() < toBad;
      return isBad ? 1 : 0;
    });
  };
}

function diceOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) | 0 || 1;
  const dice = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 16; i++) dice();
  return dice;
}
