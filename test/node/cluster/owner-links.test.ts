import { expect, it } from 'vitest';
import type { PeerLink, PeerState } from '../../../src/cluster/peers/peer-link.ts';
import type { Peers } from '../../../src/cluster/peers/peers.ts';
import { OwnerLinks } from '../../../src/node/cluster/owner-links.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { turn } from '../../fakes/hook-sender.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

const OPEN = { name: 'open', peer: 'n1' } as PeerState;
const CLOSED = { name: 'closed', why: 'gone' } as unknown as PeerState;

function openLinks(registered: readonly string[] | 'unavailable' = []) {
  const clock = new FakeClock();
  let best: PeerState | undefined;
  const peers = { stateOf: () => best } as unknown as Peers;
  const nodes = async () =>
    registered === 'unavailable' ? undefined : registered.map((incarnation) => nodeRecord(incarnation));
  const links = new OwnerLinks(() => peers, clock, { nodes });
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

it('an owner that was never met and that the registry does not know is not waited for', async () => {
  const { clock, links } = openLinks(['n2']);
  expect(await links.settled('n1')).toBe('none');
  expect(clock.pendingTasks).toBe(0);
});

it.each([
  ['that is registered', ['n1']],
  ['of which the registry cannot tell', 'unavailable' as const],
])('an owner %s is waited for until its link is open', async (_, registered) => {
  const { clock, links, tell } = openLinks(registered);
  const settled = links.settled('n1');
  await turn();
  clock.advance(50);
  await turn();
  tell(aLink(), OPEN, OPEN);
  clock.advance(10);
  expect(await settled).toBe('open');
});
