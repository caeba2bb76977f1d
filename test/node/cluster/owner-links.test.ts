import { expect, it } from 'vitest';
import type { PeerLink, PeerState } from '../../../src/cluster/peers/peer-link.ts';
import type { Peers } from '../../../src/cluster/peers/peers.ts';
import { OwnerLinks } from '../../../src/node/cluster/owner-links.ts';
import { FakeClock } from '../../fakes/clock.ts';

const OPEN = { name: 'open', peer: 'n1' } as PeerState;
const CLOSED = { name: 'closed', why: 'gone' } as unknown as PeerState;

function openLinks() {
  const clock = new FakeClock();
  let best: PeerState | undefined;
  const peers = { stateOf: () => best } as unknown as Peers;
  const links = new OwnerLinks(() => peers, clock);
  const tell = (link: PeerLink, state: PeerState, left: PeerState): void => {
    best = left;
    links.changed(state, link);
  };
  return { clock, links, tell };
}

const aLink = (): PeerLink => ({}) as PeerLink;

it('a node is lost from when its last link broke, and not from when one of two was given up', () => {
  const { clock, links, tell } = openLinks();
  const [kept, spare] = [aLink(), aLink()];
  tell(kept, OPEN, OPEN);
  tell(spare, OPEN, OPEN);
  tell(spare, CLOSED, OPEN);
  clock.advance(60_000);
  const brokeAtUnixMs = clock.unixMs();
  tell(kept, CLOSED, CLOSED);
  clock.advance(40);
  expect(links.lostSinceUnixMs('n1')).toBe(brokeAtUnixMs);
});

it('a node that is heard again is lost no more', () => {
  const { clock, links, tell } = openLinks();
  const [first, second] = [aLink(), aLink()];
  tell(first, OPEN, OPEN);
  tell(first, CLOSED, CLOSED);
  clock.advance(500);
  tell(second, OPEN, OPEN);
  clock.advance(500);
  expect(links.lostSinceUnixMs('n1')).toBe(clock.unixMs());
});
