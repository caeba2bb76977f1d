import { describe, expect, it } from 'vitest';
import type { Cluster } from '../../../src/client/cluster-shapes.ts';
import { clusterWords } from '../../../src/cli/cluster/cluster-words.ts';
import { FakeCluster } from '../../fakes/cluster-desk.ts';

const SEEN: Cluster = new FakeCluster().view();

describe('omnivoice cluster', () => {
  it('says what the registry does, where calls go, and how every region and node is', () => {
    expect(clusterWords(SEEN))
      .toBe(`the registry of this host answers in 0.4 ms; unanswered since the start: 1
seen from host-a in local: calls are placed on all nodes of the region; 3 placed (1 in another region), 0 refused since its start

REGION   STATE    NODES  FIT  LEGS  CAPACITY  KM  NEIGHBOURS
local *  healthy  1      1    2     800       –   south

NODE         HOST    REGION  STATE    PLACED ON  LEGS   LOAD  LATE  BEAT   LINK  PEERS
n0-abcdefgh  host-a  local   serving  yes        2/800  0 %   2 ms  0.2 s  open  1/1
`);
  });

  it('says so when Redis is away, or has never answered', () => {
    const away = { kind: 'redis', state: 'away', age_ms: 12_345, round_trip_ms: 1, unanswered: 24 } as const;
    const control = { ...SEEN.control, placing_on: 'host' } as const;
    const words = clusterWords({ ...SEEN, registry: away, control, nodes: [] });
    expect(words).toContain('Redis is away since 12.3 s; unanswered since the start: 24');
    expect(words).toContain('nodes of this host alone');
    expect(words).toContain('no nodes');
    const unseen = { ...away, state: 'unseen', age_ms: null } as const;
    expect(clusterWords({ ...SEEN, registry: unseen })).toContain('has not answered yet');
  });
});
