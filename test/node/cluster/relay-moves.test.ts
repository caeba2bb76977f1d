import { expect, it } from 'vitest';
import { refuse, type Refusal } from '../../../src/base/errors.ts';
import { RelayedLine } from '../../../src/gateway/relay/relayed-line.ts';
import { RelayMoves, type Finder, type Mover } from '../../../src/node/cluster/relay-moves.ts';
import { FakeClock } from '../../fakes/clock.ts';

const CLAIMS = {
  callId: 'call_1',
  legId: 'leg_1',
  dialect: 'native',
  format: 'pcmu/8000',
  generation: 2,
  region: 'local',
  fence: 7,
  expiresAtUnixMs: 0,
};

/** A leg that looks for its call, and what is answered each time. */
function openSearch(bring: () => Refusal | { readonly type: 'kept'; readonly owner: string } | undefined) {
  const clock = new FakeClock();
  const dropped = { droppedMessages: 0, droppedAudioFrames: 0, waitingDropped: 0 };
  const counts = { opened: 0, refused: 0, lostOwners: 0, followed: 0, ...dropped };
  const closes: string[] = [];
  const carriedTo: string[] = [];
  const socket = {
    bufferedBytes: 0,
    sendAudio: () => true,
    send: () => {},
    pauseReading: () => {},
    resumeReading: () => {},
    close: (code: number, reason: string) => void closes.push(`${code} ${reason}`),
  };
  const line = new RelayedLine({
    socket,
    clock,
    counts,
    onSeated: () => {},
    onLost: () => true,
    onLeft: () => {},
  });
  let asked = 0;
  const links = { redialled: async () => 'refused' as const };
  const moves = new RelayMoves({ clock, counts, links });
  const finder = {
    here: { resume: async () => undefined },
    bring: async () => {
      asked++;
      return bring();
    },
  } as unknown as Finder;
  const carryTo = (owner: string): boolean => carriedTo.push(owner) > 1;
  const mover = { line, claims: CLAIMS, owner: 'n0', carryTo, arrival: {} } as unknown as Mover;
  const following = moves.follow(mover, finder);
  const pass = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 50) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(50);
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, line, counts, closes, carriedTo, following, pass, asked: () => asked };
}

const unavailable = refuse('unavailable', 'nobody can say');

it('a call that nobody can find for three seconds is looked for by its client', async () => {
  const { closes, following, pass, counts } = openSearch(() => unavailable);
  await pass(2_900);
  expect(closes).toEqual([]);
  await pass(200);
  await following;
  expect([closes, counts.followed]).toEqual([['1012 node_lost'], 0]);
});

it('a leg that was replaced, or whose call is over, is told so at once', async () => {
  const replaced = openSearch(() => refuse('leg_replaced', 'the leg is on a newer connection'));
  const over = openSearch(() => undefined);
  await Promise.all([replaced.following, over.following]);
  expect([...replaced.closes, ...over.closes]).toEqual(['4409 leg_replaced', '4404 call_not_found']);
});

it('an owner that cannot be reached yet is tried again', async () => {
  const { carriedTo, following, pass, counts } = openSearch(() => ({ type: 'kept', owner: 'n1' }));
  await pass(100);
  await following;
  expect([carriedTo, counts.followed]).toEqual([['n1', 'n1'], 1]);
});

it('nothing more is asked for a client that has left', async () => {
  const { line, clock, closes, following, pass, counts, asked } = openSearch(() => unavailable);
  await pass(100);
  line.lost({ type: 'closed', closeCode: 1000 }, clock.nowMs());
  const askedBefore = asked();
  await pass(200);
  await following;
  expect([asked(), closes, counts.followed]).toEqual([askedBefore, [], 0]);
});
