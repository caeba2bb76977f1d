import { expect, it } from 'vitest';
import type { Found } from '../../../src/cluster/registry.ts';
import { CallOwners } from '../../../src/control/peers/call-owners.ts';
import type { CommandResult, CommandToCall } from '../../../src/events/commands.ts';

const HANG_UP: CommandToCall = {
  name: 'call_command',
  call_id: 'call_1',
  workspace_id: 'ws_1',
  command: { name: 'hang_up' },
};
const DONE: CommandResult = { ok: true, value: 'done' };
const NOT_HELD: CommandResult = { ok: false, fault: 'call_not_found', detail: 'no such call' };
const SILENT: CommandResult = { ok: false, fault: 'unavailable', detail: 'no answer' };

interface Cluster {
  /** Answers of this host's nodes, and of other hosts'. Who is in neither is not reached. */
  readonly near?: { readonly [incarnation: string]: CommandResult };
  readonly far?: { readonly [incarnation: string]: CommandResult };
  /** Nodes of this host that died a moment ago. */
  readonly dying?: readonly string[];
  readonly found?: Found;
  readonly isAlone?: boolean;
}

function ownersIn({ near = {}, far = {}, dying = [], found = 'unknown', isAlone = false }: Cluster) {
  const asked: string[] = [];
  const node = (incarnation: string, isConnected: boolean) =>
    ({ incarnation, isConnected, isServing: isConnected, hello: {}, status: undefined }) as never;
  const owners = new CallOwners({
    link: {
      nodes: () => [
        ...Object.keys(near).map((incarnation) => node(incarnation, true)),
        ...dying.map((incarnation) => node(incarnation, false)),
      ],
      command: async (incarnation) => {
        asked.push(incarnation);
        return near[incarnation]!;
      },
    },
    registry: { find: async () => found },
    ...(isAlone
      ? {}
      : {
          peers: {
            ask: async (incarnation) => {
              const result = far[incarnation];
              if (result === undefined) return { isReached: false, result: SILENT };
              asked.push(incarnation);
              return { isReached: true, result };
            },
          },
        }),
  });
  return { owners, asked };
}

const ownedBy = (owner: string): Found => ({ state: 'live', owner, token: 5, sequence: 3 });

it('a command goes to the node of this host that last told of the call', async () => {
  const { owners, asked } = ownersIn({ near: { n0: DONE }, far: { m0: DONE } });
  expect(await owners.command('n0', HANG_UP)).toEqual(DONE);
  expect(asked).toEqual(['n0']);
});

it('a command for a call of another host goes there', async () => {
  const { owners, asked } = ownersIn({ near: { n0: DONE }, far: { m0: DONE } });
  expect(await owners.command('m0', HANG_UP)).toEqual(DONE);
  expect(asked).toEqual(['m0']);
});

it.each([
  ['gave it away', { near: { n0: NOT_HELD }, far: { m0: DONE } }],
  ['has just died', { dying: ['n0'], far: { m0: DONE } }],
  ['was another host’s, and is gone', { far: { m0: DONE } }],
])('a command for a call whose node %s is asked once more, of its new owner', async (_, cluster) => {
  const { owners, asked } = ownersIn({ ...cluster, found: ownedBy('m0') });
  expect(await owners.command('n0', HANG_UP)).toEqual(DONE);
  expect(asked.at(-1)).toBe('m0');
  expect(owners.stats).toEqual({ askedAgain: 1, ownersAway: 0 });
});

it('a call that moves faster than it is followed is asked for no third time', async () => {
  const { owners, asked } = ownersIn({ near: { n0: NOT_HELD }, far: { m0: NOT_HELD }, found: ownedBy('m0') });
  expect(await owners.command('n0', HANG_UP)).toMatchObject({ ok: false, fault: 'unavailable' });
  expect(asked).toEqual(['n0', 'm0']);
});

it('a command that may have been carried out is never sent again', async () => {
  const { owners, asked } = ownersIn({ far: { m0: SILENT, m1: DONE }, found: ownedBy('m1') });
  expect(await owners.command('m0', HANG_UP)).toEqual(SILENT);
  expect(asked).toEqual(['m0']);
});

it('a command for a call whose owner is away is unavailable, and counted', async () => {
  const { owners } = ownersIn({ found: ownedBy('m0') });
  expect(await owners.command('m0', HANG_UP)).toMatchObject({ ok: false, fault: 'unavailable' });
  expect(owners.stats.ownersAway).toBe(1);
});

it('a call that has ended is said to have ended, wherever its node is', async () => {
  const { owners } = ownersIn({ found: { state: 'ended' } });
  expect(await owners.command('m0', HANG_UP)).toMatchObject({ ok: false, fault: 'call_not_found' });
});

it('nothing is said to have ended while nobody can say who has the call', async () => {
  const { owners } = ownersIn({ near: { n0: NOT_HELD }, found: 'unavailable' });
  expect(await owners.command('n0', HANG_UP)).toMatchObject({ ok: false, fault: 'unavailable' });
});

it('a host alone asks nobody else', async () => {
  const { owners, asked } = ownersIn({ near: { n0: DONE }, isAlone: true });
  expect(await owners.command('n9', HANG_UP)).toMatchObject({ ok: false, fault: 'unavailable' });
  expect(asked).toEqual([]);
});
