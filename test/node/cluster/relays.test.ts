import { WebSocket } from 'ws';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { refuse } from '../../../src/base/errors.ts';
import type { CallDirectory } from '../../../src/call/directory.ts';
import { PeerCounts } from '../../../src/cluster/peers/peer-counts.ts';
import { PeerKeys } from '../../../src/cluster/peers/peer-key.ts';
import { Peers } from '../../../src/cluster/peers/peers.ts';
import type { Arrival } from '../../../src/gateway/arrivals.ts';
import type { Resumption } from '../../../src/gateway/door/admission.ts';
import { OwnerLinks } from '../../../src/node/cluster/owner-links.ts';
import { Relays } from '../../../src/node/cluster/relays.ts';
import type { TakeoverDesk } from '../../../src/node/cluster/takeover.ts';
import { FakeArrivals, openDoor, sessionClaims, type Door, type FakeLeg } from '../../fakes/gateway-house.ts';
import { visit, type Visitor } from '../../fakes/gateway-visitors.ts';
import { until } from '../../fakes/until.ts';

const FRAMES = 500;
const CLAIMS = {
  callId: 'call_1',
  legId: 'leg_1',
  dialect: 'native',
  format: 'pcmu/8000',
  generation: 1,
  region: 'local',
  fence: null,
  expiresAtUnixMs: Date.UTC(2026, 10, 20, 13),
};
const { tokenId: _tokenId, region: _region, ...CALLER } = sessionClaims('none');

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Node {
  /** What becomes of a call that is looked for here. */
  bring: TakeoverDesk['bring'];
  /** The generation of the one leg there is. */
  generation: number;
  readonly peers: Peers;
  readonly relays: Relays;
  readonly arrivals: FakeArrivals;
  readonly failures: string[];
  /** Legs whose node of the socket leaves. */
  readonly leaving: string[];
}

async function openNode(self: string): Promise<Node> {
  const failures: string[] = [];
  const reportFailure = (error: unknown): void => void failures.push(String(error));
  const linkTo = (peer: string) => peers.find(peer);
  const links = new OwnerLinks(() => peers, systemClock, { nodes: async () => [] });
  const member = () => ({ generation: node.generation, party: { id: 'leg_1', codecName: 'pcmu/8000' } });
  const call = { id: 'call_1', facts: { region: 'local' }, fence: 7, roster: { find: member } };
  const calls = { get: () => call, ofProvider: () => undefined } as unknown as CallDirectory;
  const leaving: string[] = [];
  const onLeaving = async ({ legId }: { readonly legId: string }, mayRedirect: boolean) =>
    void leaving.push(`${legId}${mayRedirect ? ' by its provider' : ''}`);
  const mayTake = (peer: string): boolean => peer !== 'leaver';
  const relaying = { clock: systemClock, calls, links, linkTo, reportFailure };
  const relays = new Relays({ ...relaying, mayTake, onLeaving });
  const peers: Peers = new Peers({
    self,
    clock: systemClock,
    counts: new PeerCounts(),
    keys: new PeerKeys(['shared secret']),
    listen: { kind: 'network', host: '127.0.0.1', port: 0 },
    handlers: {
      answer: async () => ({ ok: true, value: null }),
      status: () => {},
      carried: (...frame) => relays.carried(...frame),
      changed: (state, link) => void (state.name === 'closed' && relays.ended(link)),
      reportFailure,
    },
  });
  opened.push(peers);
  await peers.listen();
  const arrivals = new FakeArrivals();
  const resume = async (): Promise<Resumption> => ({
    caller: CALLER,
    arrive: arrivals.arrive.bind(arrivals),
  });
  const node: Node = {
    peers,
    relays,
    arrivals,
    failures,
    leaving,
    generation: 2,
    bring: async () => refuse('call_not_found', 'the call has ended'),
  };
  relays.serve({
    here: { refuseNew: () => undefined, arrive: arrivals.arrive.bind(arrivals), resume },
    bring: (wanted) => node.bring(wanted),
  });
  return node;
}

interface Scene {
  readonly owner: Node;
  readonly near: Node;
  readonly door: Door;
  readonly client: Visitor;
}

/** A native client whose socket is at the node `near`, and whose call is at `owner`. */
async function relay(isReplaceable = true, nearName = 'near'): Promise<Scene> {
  const [owner, near] = [await openNode('owner'), await openNode(nearName)];
  near.peers.meet('owner', { kind: 'network', host: '127.0.0.1', port: owner.peers.port! });
  await vi.waitFor(() => expect(near.peers.stateOf('owner')?.name).toBe('open'));
  const resumes = {
    resume: async (): Promise<Resumption> => ({
      caller: CALLER,
      arrive: (arrival) => {
        const session = isReplaceable ? arrival.session : { ...arrival.session, isReplaceable: undefined };
        return near.relays.open({ ...arrival, session } as Arrival, 'owner', { claims: CLAIMS });
      },
    }),
  };
  const door = await openDoor({ resumes });
  opened.push(door.gateway);
  const token = door.resumeTokens.mint(CLAIMS);
  const client = await visit(`${door.url}/media/native/r/${token}`, ['omnivoice.v1']);
  client.say({ type: 'resume', token });
  await vi.waitFor(() => expect(owner.arrivals.legs).toHaveLength(1));
  return { owner, near, door, client };
}

function echo({ owner }: Scene): void {
  const [leg] = owner.arrivals.legs;
  leg!.onReceive = (text) => leg!.arrival.socket.send({ bytes: Buffer.from(text, 'latin1'), isBinary: true });
}

describe('a leg whose call another node keeps', () => {
  it('is a leg of its call there, by what it said at this node', async () => {
    const { owner, near } = await relay();
    const { caller, dialect } = owner.arrivals.legs[0]!.arrival;
    expect(caller).toEqual(CALLER);
    expect(dialect.name).toBe('native');
    expect(near.arrivals.legs).toEqual([]);
    expect(near.relays.figures).toMatchObject({ opened: 1, legs: { here: 1, elsewhere: 0 } });
    expect(owner.relays.figures.legs).toEqual({ here: 0, elsewhere: 1 });
  });

  it('hears its own frames back, every byte and in order', async () => {
    const scene = await relay();
    echo(scene);
    const frames = Array.from({ length: FRAMES }, (_, index) => {
      const frame = Buffer.alloc(160, index & 0xff);
      frame.writeUInt32BE(index);
      return frame;
    });
    for (const [index, frame] of frames.entries()) {
      scene.client.say(frame);
      // The door has its limit of messages at once.
      if (index % 20 === 0) await until(() => scene.client.heard.length > index, 'its echo');
      scene.door.clock.advance(20);
    }
    await vi.waitFor(() => expect(scene.client.heard).toHaveLength(FRAMES));
    expect(scene.client.heard).toEqual(frames.map((frame) => frame.toString('latin1')));
    expect(scene.near.relays.figures.dropped).toEqual({ message: 0, audio: 0, waiting: 0 });
  });

  it('is closed as the owner says', async () => {
    const { owner, near, client } = await relay();
    owner.arrivals.legs[0]!.arrival.socket.close(4409, 'leg_replaced');
    expect(await client.closed()).toEqual({ code: 4409, reason: 'leg_replaced' });
    await vi.waitFor(() => expect(owner.relays.figures.legs.elsewhere).toBe(0));
    expect(near.relays.figures.legs.here).toBe(0);
  });

  it('is lost to the owner as its client leaves it', async () => {
    const { owner, client } = await relay();
    client.socket.close(1000);
    await vi.waitFor(() => {
      expect(owner.arrivals.legs[0]!.losses).toEqual([{ type: 'closed', closeCode: 1000 }]);
    });
    expect(owner.relays.figures.legs.elsewhere).toBe(0);
  });

  it('is refused in the words of the owner', async () => {
    const { owner, near, door } = await relay();
    owner.arrivals.onArrive = () => refuse('unsupported_format', 'the leg speaks opus');
    const token = door.resumeTokens.mint(CLAIMS);
    const other = await visit(`${door.url}/media/native/r/${token}`, ['omnivoice.v1']);
    other.say({ type: 'resume', token });
    expect((await other.closed()).reason).toBe('unsupported_format');
    expect(other.heard.join()).toContain('the leg speaks opus');
    await vi.waitFor(() => expect(near.relays.figures.legs.here).toBe(1));
  });
});

async function linkedTo(near: Node, name: string): Promise<Node> {
  const node = await openNode(name);
  near.peers.meet(name, { kind: 'network', host: '127.0.0.1', port: node.peers.port! });
  await vi.waitFor(() => expect(near.peers.stateOf(name)?.name).toBe('open'));
  return node;
}

/** Echoes numbered frames at whatever leg it becomes, and says them on, 20 ms apart. */
function speaking(scene: Scene) {
  for (const { arrivals } of [scene.owner, scene.near]) arrivals.onArrive = echoOf;
  echo(scene);
  let said = 0;
  const say = (count: number): void => {
    for (const end = said + count; said < end; said++) {
      const frame = Buffer.alloc(160);
      frame.writeUInt32BE(said);
      scene.client.say(frame);
      scene.door.clock.advance(20);
    }
  };
  const heard = (): number[] => scene.client.heard.map((text) => Buffer.from(text, 'latin1').readUInt32BE(0));
  return { say, heard };
}

function echoOf(leg: FakeLeg): undefined {
  leg.onReceive = (text) => leg.arrival.socket.send({ bytes: Buffer.from(text, 'latin1'), isBinary: true });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Its owner is gone, and the node of its socket has noticed. */
async function lose({ owner, near }: Scene): Promise<void> {
  await owner.peers.close();
  await vi.waitFor(() => expect(near.relays.counts.lostOwners).toBe(1));
}

describe('a leg whose call’s owner is gone', () => {
  it('goes on here on the socket it has, with the token of its last connection, nothing lost or doubled', async () => {
    const scene = await relay();
    const { near, client } = scene;
    const { say, heard } = speaking(scene);
    const wanted: unknown[] = [];
    near.bring = async (one) => void wanted.push(one);
    say(10);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(10)));
    await lose(scene);
    say(10);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(20)));
    const connection = { legId: 'leg_1', generation: 2 };
    expect(wanted).toEqual([{ callId: 'call_1', tokenFloor: 7, connection }]);
    expect(near.arrivals.legs).toHaveLength(1);
    expect(near.relays.figures).toMatchObject({ lostOwners: 1, followed: 1, legs: { here: 0 } });
    client.socket.close(1000);
    await vi.waitFor(() => expect(near.arrivals.legs[0]!.losses).toHaveLength(1));
  });

  it('is carried to whoever has the call now', async () => {
    const scene = await relay();
    const { near } = scene;
    const { say, heard } = speaking(scene);
    const next = await linkedTo(near, 'next');
    next.arrivals.onArrive = echoOf;
    near.bring = async () => ({ type: 'kept', owner: 'next' });
    await lose(scene);
    say(5);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(5)));
    expect(next.arrivals.legs).toHaveLength(1);
    expect(next.relays.figures.legs.elsewhere).toBe(1);
    expect(near.relays.figures).toMatchObject({ opened: 1, followed: 1, legs: { here: 1 } });
  });

  it('stays with its owner where only the link broke', async () => {
    const scene = await relay();
    const { near, owner } = scene;
    const { say, heard } = speaking(scene);
    near.bring = async () => ({ type: 'kept', owner: 'owner' });
    near.peers.find('owner')!.close();
    await vi.waitFor(() => expect(near.relays.counts.followed).toBe(1));
    say(5);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(5)));
    expect(owner.arrivals.legs).toHaveLength(2);
    expect(owner.arrivals.legs[0]!.losses).toEqual([{ type: 'closed', closeCode: 1006 }]);
    expect(near.relays.counts.followed).toBe(1);
  });

  it('looks again while nobody can say where its call is', async () => {
    const scene = await relay();
    const { near } = scene;
    const { say, heard } = speaking(scene);
    let looks = 0;
    near.bring = async () => (++looks < 3 ? refuse('unavailable', 'nobody can say') : undefined);
    await lose(scene);
    say(5);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(5)));
    expect(looks).toBe(3);
  });

  it('is closed as one whose call has ended', async () => {
    const { owner, near, client } = await relay();
    await owner.peers.close();
    expect(await client.closed()).toEqual({ code: 4404, reason: 'call_not_found' });
    expect(near.relays.figures).toMatchObject({ lostOwners: 1, followed: 0, legs: { here: 0 } });
    expect(owner.arrivals.legs[0]!.losses).toEqual([{ type: 'closed', closeCode: 1006 }]);
  });

  it('is to come back itself where its protocol cannot go on with another session', async () => {
    const { owner, near, client } = await relay(false);
    near.bring = async () => undefined;
    await owner.peers.close();
    expect(await client.closed()).toEqual({ code: 1012, reason: 'node_lost' });
    expect(near.relays.figures).toMatchObject({ lostOwners: 1, followed: 0, legs: { here: 0 } });
  });
});

describe('a leg between two nodes, one of which leaves', () => {
  it('is called home by its owner, where the node of its socket leaves', async () => {
    const { owner, near } = await relay();
    await vi.waitFor(() => expect(owner.relays.homeOf('leg_1')).toBe('near'));
    for (const line of near.relays.lines())
      expect([line.leave(false), line.leave(true)]).toEqual([true, true]);
    await vi.waitFor(() => expect(owner.leaving).toEqual(['leg_1', 'leg_1 by its provider']));
    expect([near.relays.isEmpty, owner.relays.isEmpty]).toEqual([false, true]);
  });

  it('is followed by its call, where its owner leaves: no frame lost or doubled', async () => {
    const scene = await relay();
    const { owner, near, client } = scene;
    const { say, heard } = speaking(scene);
    const giving = Promise.withResolvers<void>();
    near.bring = async () => {
      await giving.promise;
      owner.relays.letFollow('leg_1');
      return undefined;
    };
    await vi.waitFor(() => expect(owner.relays.homeOf('leg_1')).toBe('near'));
    say(10);
    expect(owner.relays.fetch('leg_1')).toBe(true);
    await vi.waitFor(() => expect([...near.relays.lines()][0]?.isSearching).toBe(true));
    say(10);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(20)));
    giving.resolve();
    await vi.waitFor(() => expect(near.arrivals.legs).toHaveLength(1));
    say(10);
    await vi.waitFor(() => expect(heard()).toEqual(upTo(30)));
    expect([client.socket.readyState, near.relays.isEmpty]).toEqual([WebSocket.OPEN, true]);
    await vi.waitFor(() => expect(owner.relays.homeOf('leg_1')).toBeUndefined());
    expect(near.relays.figures).toMatchObject({ followed: 1, lostOwners: 0, dropped: { message: 0 } });
  });

  it('goes nowhere by itself where the node of its socket cannot take it', async () => {
    const { owner } = await relay(true, 'leaver');
    expect(owner.relays.figures.legs.elsewhere).toBe(1);
    expect([owner.relays.homeOf('leg_1'), owner.relays.fetch('leg_1')]).toEqual([undefined, false]);
  });
});
