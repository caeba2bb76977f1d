import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NodeRecord } from '../../../src/cluster/node-record.ts';
import type { Region, Surroundings } from '../../../src/config/region.ts';
import { HostCluster } from '../../../src/control/cluster/host-cluster.ts';
import type { ConnectedNode } from '../../../src/link/node-lifeline.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

/** What a registry would answer now; undefined: it is away. */
interface Told {
  home: readonly NodeRecord[] | undefined;
  south: readonly NodeRecord[] | undefined;
}

function region(name: string, facts: Partial<Region> = {}): Region {
  const nothing = { address: null, mediaUrl: null, place: null, redisUrl: null };
  return { name, ...nothing, neighbours: [], limits: {}, providers: {}, ...facts };
}

const ALONE: Surroundings = { home: region('home'), neighbours: [], unknown: [] };
const TWO: Surroundings = {
  home: region('home', { neighbours: ['south'], place: { latDeg: 52.52, lonDeg: 13.4 } }),
  neighbours: [
    region('south', {
      neighbours: ['home'],
      mediaUrl: 'wss://south.example.com',
      redisUrl: 'redis://south',
      place: { latDeg: 48.86, lonDeg: 2.35 },
    }),
  ],
  unknown: [],
};

function atHome(name: string, facts: Partial<NodeRecord> = {}): NodeRecord {
  return nodeRecord(name, { region: 'home', mediaUrl: `wss://${name}`, ...facts });
}

function linked(incarnation: string, state: 'serving' | 'degraded' | 'draining', legs = 0): ConnectedNode {
  return {
    incarnation,
    hello: {
      type: 'hello',
      protocol: 1,
      incarnation,
      node: 3,
      pid: 1,
      region: 'home',
      ownPort: 8085,
      firstRecord: 1,
    },
    status: { state, legs, calls: 0, capLegs: 10, loopDelayP99Ms: 2, spoolBytes: 0 },
    isConnected: true,
    isServing: true,
  };
}

async function openScene(surroundings = ALONE, told: Told = { home: [], south: [] }) {
  const clock = new FakeClock({ seed: 3 });
  const closed: string[] = [];
  const cluster = new HostCluster({
    clock,
    version: '1.2.3',
    surroundings,
    registry: { nodes: async () => told.home },
    isRedis: true,
    openRegistry: (url) => ({ nodes: async () => told.south, close: () => void closed.push(url) }),
    mediaUrl: (node) => `wss://any${node ?? ''}`,
  });
  await turn();
  const links: ConnectedNode[] = [];
  cluster.fit(() => links);
  let beat = 1;
  /** Half seconds; nodes that are told of beat in each. */
  const pass = async (halfSeconds = 1): Promise<void> => {
    for (let i = 0; i < halfSeconds; i++) {
      beat++;
      for (const where of ['home', 'south'] as const) {
        told[where] = told[where]?.map((node) => ({ ...node, beat }));
      }
      clock.advance(500);
      await turn();
    }
  };
  return { cluster, clock, told, links, closed, pass };
}

describe('who is there in other regions', () => {
  it('is told by their registries, and by nobody while one of them is silent', async () => {
    const told: Told = { home: [], south: [nodeRecord('far')] };
    const { cluster, pass } = await openScene(TWO, told);
    expect(cluster.elsewhere()).toEqual(new Set(['far']));
    told.south = undefined;
    await pass(11);
    expect(cluster.elsewhere()).toBeUndefined();
    told.south = [];
    await pass();
    // Its registry has just come back: who is missing may yet say that it lives.
    expect(cluster.elsewhere()).toEqual(new Set(['far']));
    await pass(15);
    expect(cluster.elsewhere()).toEqual(new Set());
  });

  it('is nobody where no neighbour keeps copies of calls', async () => {
    const { cluster } = await openScene();
    expect(cluster.elsewhere()).toEqual(new Set());
  });
});

describe('where a new call goes', () => {
  it('is the less loaded node of the host’s own region', async () => {
    const nodes = [atHome('a', { legs: 9 }), atHome('b', { legs: 2 })];
    const { cluster } = await openScene(TWO, {
      home: nodes,
      south: [atHome('far', { region: 'south' })],
    });
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://b', region: 'home' });
  });

  it('is the neighbour when nobody at home is well or has room', async () => {
    const far = nodeRecord('far', { region: 'south', mediaUrl: 'wss://far' });
    const told: Told = { home: [atHome('a', { legs: 5, capLegs: 5 })], south: [far] };
    const { cluster, pass } = await openScene(TWO, told);
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://far', region: 'south' });
    told.home = [atHome('a', { state: 'draining' })];
    await pass();
    expect(cluster.place()).toMatchObject({ region: 'south' });
    expect(cluster.view().control.placements).toEqual({ placed: 2, placed_abroad: 2, refused: 0 });
  });

  it('is the region that was wished for, and no other name than those known here', async () => {
    const far = nodeRecord('far', { region: 'south', mediaUrl: 'wss://far' });
    const { cluster } = await openScene(TWO, { home: [atHome('a')], south: [far] });
    expect(cluster.place('south')).toMatchObject({ mediaUrl: 'wss://far' });
    expect(cluster.place('east')).toMatchObject({
      fault: 'invalid_argument',
      detail: 'served here: home, south',
    });
  });

  it('is the neighbour as a whole where its nodes cannot be seen', async () => {
    const { cluster, told } = await openScene(TWO, { home: [], south: undefined });
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://south.example.com', region: 'south' });
    expect(told.south).toBeUndefined();
  });

  it('is nowhere when everybody who serves is full, or nobody serves', async () => {
    const full = await openScene(ALONE, { home: [atHome('a', { legs: 5, capLegs: 5 })], south: [] });
    expect(full.cluster.place()).toMatchObject({ fault: 'overloaded' });
    const empty = await openScene();
    expect(empty.cluster.place()).toMatchObject({ fault: 'unavailable' });
    empty.links.push(linked('x', 'draining'));
    expect(empty.cluster.place()).toMatchObject({ fault: 'unavailable' });
  });

  it('is the shared address when all nodes of the host are late', async () => {
    const { cluster, links } = await openScene();
    links.push(linked('x', 'degraded'));
    expect(cluster.place()).toEqual({ mediaUrl: 'wss://any', region: 'home' });
  });
});

describe('a node that stands still', () => {
  it('is not placed on for its link, which is open as ever', async () => {
    const { cluster, told, links, clock } = await openScene(ALONE, { home: [atHome('own')], south: [] });
    links.push(linked('own', 'serving'));
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://own' });
    for (let halfSeconds = 0; halfSeconds < 3; halfSeconds++) {
      clock.advance(500);
      await turn();
    }
    expect(told.home).toHaveLength(1);
    expect(cluster.place()).toMatchObject({ fault: 'unavailable' });
    links.push(linked('new', 'serving'));
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://any3' });
  });
});

describe('while the registry is away', () => {
  it('calls go where they went before for a lease, then to the nodes of the own host', async () => {
    const { cluster, told, links, pass } = await openScene(ALONE, { home: [atHome('other')], south: [] });
    links.push(linked('own', 'serving'));
    told.home = undefined;
    await pass(9);
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://other' });
    expect(cluster.view().registry).toMatchObject({ kind: 'redis', state: 'seen', unanswered: 9 });
    await pass();
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://any3' });
    expect(cluster.view()).toMatchObject({
      control: { placing_on: 'host' },
      registry: { state: 'away', age_ms: 5_000, unanswered: 10 },
      regions: [{ name: 'home', state: 'healthy' }],
    });
    told.home = [atHome('other', { legs: 1 })];
    await pass();
    expect(cluster.place()).toMatchObject({ mediaUrl: 'wss://other' });
  });

  it('nodes that never beat are placed on by what they say over their links', async () => {
    const { cluster, links } = await openScene(ALONE, { home: undefined, south: [] });
    links.push(linked('own', 'serving', 4));
    expect(cluster.mediaUrls()).toEqual(['wss://any3', 'wss://any']);
    expect(cluster.view().nodes).toMatchObject([
      { id: 'own', node: 3, legs: 4, capacity_legs: 10, load_ratio: 0.4, beat_age_ms: null, link: 'open' },
    ]);
  });
});

describe('the list of a provider', () => {
  it('names another node before another region, each address once', async () => {
    const { cluster } = await openScene(TWO, {
      home: [
        atHome('a', { host: 'one' }),
        atHome('b', { host: 'one', legs: 300 }),
        atHome('c', { host: 'two', legs: 400 }),
      ],
      south: [nodeRecord('far', { region: 'south', mediaUrl: 'wss://far' })],
    });
    const urls = cluster.mediaUrls();
    expect(urls).toHaveLength(3);
    expect(new Set(urls.slice(0, 2)).size).toBe(2);
    expect(urls[2]).toBe('wss://far');
  });

  it('ends at the shared address where one node alone is fit: others may be late and still answer', async () => {
    const { cluster } = await openScene(TWO, {
      home: [atHome('a'), atHome('b', { state: 'degraded' })],
      south: [nodeRecord('far', { region: 'south', mediaUrl: 'wss://far' })],
    });
    expect(cluster.mediaUrls()).toEqual(['wss://a', 'wss://any', 'wss://far']);
  });

  it('has one address where hosts share it, and none where nobody has room', async () => {
    const shared = [atHome('a', { mediaUrl: 'wss://m' }), atHome('b', { mediaUrl: 'wss://m' })];
    const { cluster, told, pass } = await openScene(ALONE, { home: shared, south: [] });
    expect(cluster.mediaUrls()).toEqual(['wss://m']);
    told.home = [];
    await pass();
    expect(cluster.mediaUrls()).toEqual([]);
  });
});

describe('the view', () => {
  it('has every region with how far it is and how it does, and every node', async () => {
    const peers = { open: 1, suspect: 0, closed: 1 };
    const { cluster, links, pass } = await openScene(TWO, {
      home: [atHome('a', { legs: 2, capLegs: 8, peers }), atHome('b', { state: 'draining' })],
      south: [],
    });
    links.push(linked('a', 'serving'));
    await pass();
    const { regions, nodes, control } = cluster.view();
    expect(control).toMatchObject({ version: '1.2.3', placing_on: 'cluster', nodes_linked: 1 });
    expect(regions).toMatchObject([
      {
        name: 'home',
        is_own: true,
        state: 'healthy',
        distance_km: 0,
        nodes: 2,
        nodes_fit: 1,
        legs: 2,
        capacity_legs: 8,
      },
      { name: 'south', is_own: false, state: 'lost', distance_km: 877, nodes: 0, neighbours: ['home'] },
    ]);
    expect(nodes).toMatchObject([
      { id: 'a', state: 'serving', standing: 'fit', load_ratio: 0.25, beat_age_ms: 0, link: 'open', peers },
      { id: 'b', state: 'draining', standing: 'unfit', link: null, peers: null },
    ]);
  });

  it('says of a region whose nodes are gone that it is lost, and of one that is full so', async () => {
    const told: Told = {
      home: [atHome('a', { legs: 5, capLegs: 5 })],
      south: [nodeRecord('far', { region: 'south' })],
    };
    const { cluster, pass } = await openScene(TWO, told);
    expect(cluster.view().regions.map(({ state }) => state)).toEqual(['full', 'healthy']);
    told.south = [];
    // Until a grace is over nobody is judged: its beats are silent before that.
    await pass(20);
    expect(cluster.view().regions[1]).toMatchObject({ state: 'lost', nodes: 0 });
    expect(cluster.view().nodes.at(-1)).toMatchObject({ id: 'far', standing: 'gone' });
  });

  it('is over when it is closed: nobody is asked any more', async () => {
    const { cluster, closed } = await openScene(TWO);
    cluster.close();
    expect(closed).toEqual(['redis://south']);
  });
});
