import { expect, it } from 'vitest';
import { Network } from '../../../../src/media/voice/own/network.ts';

function oddsOf(network: Network, ...features: number[]): number {
  const odds = new Float32Array(1);
  network.logOddsInto(Float32Array.from(features), odds);
  return odds[0]!;
}

it('a network is its sums, those below zero left out', () => {
  const hidden = [
    [1000, 2000],
    [-1000, 500],
    [0, -3000],
    [250, 0],
  ];
  const network = new Network({
    hidden,
    hiddenBias: [0, 1000, 1000, -500],
    out: [1000, 2000, 4000, -8000],
    outBias: 10,
  });
  // Units: 4 + 6 = 10; −4 + 1.5 + 1 < 0; −9 + 1 < 0; 1 − 0.5 = 0.5.
  expect(oddsOf(network, 4, 3)).toBeCloseTo(10 - 4 + 0.01, 5);
  // Units: 0; 1; 1; −0.5.
  expect(oddsOf(network, 0, 0)).toBeCloseTo(2 + 4 + 0.01, 5);
});

it('a network of three units is refused', () => {
  const weights = { hidden: [[1], [1], [1]], hiddenBias: [0, 0, 0], out: [0, 0, 0], outBias: 0 };
  expect(() => new Network(weights)).toThrow(/multiple of four/);
});
