import { describe, expect, it } from 'vitest';
import { CopiedRegistry } from '../../src/cluster/copied-registry.ts';
import { LocalRegistry } from '../../src/cluster/local-registry.ts';
import type { CallSave, Claim } from '../../src/cluster/registry.ts';
import { FakeClock } from '../fakes/clock.ts';
import { describeRegistry } from './registry-contract.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two regions, each of which keeps copies of the other's calls. */
function openRegions() {
  const clock = new FakeClock();
  const [home, away] = [new LocalRegistry(clock), new LocalRegistry(clock)];
  return {
    clock,
    home,
    away,
    here: new CopiedRegistry(home, [away]),
    there: new CopiedRegistry(away, [home]),
  };
}

function tokenOf(claim: Claim): number {
  if (claim.result !== 'claimed') throw new Error(claim.result);
  return claim.token;
}

const begin = { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;

function saved(token: number, sequence: number): CallSave {
  return { callId: 'call_1', token, sequence, snapshot: `{"sequence":${sequence}}`, alias: 'CA1' };
}

describe('the registry of a region that tells its neighbour', () => {
  describeRegistry(() => new CopiedRegistry(new LocalRegistry(new FakeClock()), []));
  describeRegistry(() => {
    const clock = new FakeClock();
    return new CopiedRegistry(new LocalRegistry(clock), [new LocalRegistry(clock)]);
  });

  it('leaves its calls to be found there and claimed, by their own and providers’ names', async () => {
    const { here, there } = openRegions();
    const token = tokenOf(await here.claim('n0', begin));
    await here.save('n0', saved(token, 7));
    await turn();
    expect(await there.findAlias('CA1')).toEqual({ callId: 'call_1' });
    const claim = await there.claim('m0', { ...begin, reason: 'arrival', expectedOwner: 'n0' });
    expect(claim).toMatchObject({ result: 'claimed', previousOwner: 'n0', snapshot: '{"sequence":7}' });
    expect(tokenOf(claim)).toBeGreaterThan(token);
  });

  it('is told by its next saves that a call has gone on there', async () => {
    const { here, there } = openRegions();
    const token = tokenOf(await here.claim('n0', begin));
    await here.save('n0', saved(token, 1));
    await turn();
    await there.claim('m0', { ...begin, reason: 'arrival', expectedOwner: 'n0', tokenFloor: token });
    await here.save('n0', saved(token, 2));
    await turn();
    expect(await here.save('n0', saved(token, 3))).toBe('fenced');
    expect(here.copyCounts).toMatchObject({ overtaken: 1 });
  });

  it('fences the former owner in its own registry as soon as the new one saves', async () => {
    const { here, there, home } = openRegions();
    const token = tokenOf(await here.claim('n0', begin));
    await here.save('n0', saved(token, 1));
    await turn();
    const wish = { ...begin, reason: 'arrival', expectedOwner: 'n0', tokenFloor: token } as const;
    const next = tokenOf(await there.claim('m0', wish));
    await there.save('m0', saved(next, 2));
    await turn();
    expect(await home.find('call_1')).toMatchObject({ owner: 'm0', token: next });
    expect(await here.save('n0', saved(token, 3))).toBe('fenced');
  });

  it('ends a call for both', async () => {
    const { here, there } = openRegions();
    const token = tokenOf(await here.claim('n0', begin));
    await here.save('n0', saved(token, 1));
    await here.end('n0', 'call_1', token);
    await turn();
    expect(await there.find('call_1')).toEqual({ state: 'ended' });
  });

  it('waits for no copy, and sends the newest when the way is free', async () => {
    const clock = new FakeClock();
    const sent: number[] = [];
    const waiting: (() => void)[] = [];
    const slow = {
      save: async (_: string, { sequence }: CallSave) => {
        sent.push(sequence);
        await new Promise<void>((resolve) => waiting.push(resolve));
        return 'saved' as const;
      },
      end: async () => 'saved' as const,
      nodes: async () => [],
      close: () => {},
    };
    const here = new CopiedRegistry(new LocalRegistry(clock), [slow]);
    const token = tokenOf(await here.claim('n0', begin));
    for (const sequence of [1, 2, 3, 4]) expect(await here.save('n0', saved(token, sequence))).toBe('saved');
    expect(sent).toEqual([1]);
    waiting.shift()!();
    await turn();
    expect(sent).toEqual([1, 4]);
    waiting.shift()!();
    await turn();
    expect(here.copyCounts.copies).toBe(2);
  });

  it('knocks, once at a time, where no answer came', async () => {
    const clock = new FakeClock();
    let knocks = 0;
    const silent = {
      save: async () => 'unavailable' as const,
      end: async () => 'unavailable' as const,
      nodes: async () => {
        knocks++;
        await turn();
        return undefined;
      },
      close: () => {},
    };
    const here = new CopiedRegistry(new LocalRegistry(clock), [silent]);
    for (const callId of ['call_1', 'call_2', 'call_3']) {
      const token = tokenOf(await here.claim('n0', { ...begin, callId }));
      expect(await here.save('n0', { ...saved(token, 1), callId })).toBe('saved');
    }
    expect(knocks).toBe(1);
    await turn();
    await turn();
    await here.save('n0', saved(9e15, 2));
    await turn();
    expect(knocks).toBe(2);
    expect(here.copyCounts.unanswered).toBe(4);
  });
});
