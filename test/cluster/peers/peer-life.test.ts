import { expect, it } from 'vitest';
import { PeerLife, PING_MS } from '../../../src/cluster/peers/peer-life.ts';

/** Judged every ping from 0 on, `untilMs` included; the last verdict. */
function judged(life: PeerLife, fromMs: number, untilMs: number): string {
  let verdict = '';
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += PING_MS) verdict = life.judge(nowMs);
  return verdict;
}

it('suspects a peer after half a second of silence and gives it up after five', () => {
  const life = new PeerLife(0);
  expect(judged(life, 100, 400)).toBe('open');
  expect(judged(life, 500, 4_900)).toBe('suspect');
  expect(judged(life, 5_000, 5_000)).toBe('gone');
});

it('believes a suspect again when it speaks', () => {
  const life = new PeerLife(0);
  expect(judged(life, 100, 900)).toBe('suspect');
  life.heard(950);
  expect(judged(life, 1_000, 1_400)).toBe('open');
});

it('does not hold its own pause against the peer', () => {
  const life = new PeerLife(0);
  expect(judged(life, 100, 300)).toBe('open');
  expect(life.judge(8_300)).toBe('open');
  expect(judged(life, 8_400, 8_600)).toBe('suspect');
});
