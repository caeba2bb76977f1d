import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CallDirectory } from '../../../src/call/directory.ts';
import { LegParty } from '../../../src/call/parties/party.ts';
import type { PeerQuestion } from '../../../src/cluster/peers/peer-messages.ts';
import { PeerAnswers, staysWith } from '../../../src/node/cluster/peer-answers.ts';
import { Tails } from '../../../src/node/drain/tails.ts';
import { FakeClock } from '../../fakes/clock.ts';

const SNAPSHOT = new URL('../../call/snapshot/snapshot-v1.json', import.meta.url);

/** A node that has one call, whose caller is on its connection of generation 1. */
function openOwner(isLeaving = false) {
  const clock = new FakeClock();
  const limits = { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 30_000 };
  const calls = new CallDirectory({ clock, sink: { accept: () => {} }, limits });
  const takeover = { fence: 1, from: '0', to: '1', lostSinceUnixMs: clock.unixMs() };
  const call = calls.restore(JSON.parse(readFileSync(SNAPSHOT, 'utf8')), takeover, clock.nowMs())!;
  const given: string[] = [];
  const following: string[] = [];
  const legId = call.roster.caller?.party.id ?? '';
  const answers = new PeerAnswers({
    clock,
    calls,
    links: { changed: () => {} },
    relays: { carried: () => {}, ended: () => {}, letFollow: (one) => void following.push(one) },
    handOver: (callId) => given.push(callId),
    leaving: { gives: () => isLeaving, speakingOn: () => [legId], following: () => [legId] },
    tails: new Tails(clock),
    onDraining: () => {},
    drainNode: () => {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const ask = (comer: { leg_id?: string; generation?: number }) => {
    const question: PeerQuestion = { name: 'give', call_id: call.id, to: 'n1', ...comer };
    return answers.answer(question, { bufferedBytes: 0, carry: () => true });
  };
  return { ask, given, following, legId, callId: call.id };
}

describe('an owner that is asked for its call', () => {
  it('gives it when it leaves, with its lines: what they still say goes along, and those that can follow', async () => {
    const { ask, given, following, legId, callId } = openOwner(true);
    const answer = await ask({ leg_id: 'leg_other' });
    expect(answer).toMatchObject({ ok: true, value: { tails: { [legId]: 1 } } });
    expect([given, following]).toEqual([[callId], [legId]]);
  });

  it('gives it to the connection that is its leg’s newest', async () => {
    const { ask, given, legId, callId } = openOwner();
    expect(await ask({ leg_id: legId, generation: 1 })).toMatchObject({ ok: true });
    expect(given).toEqual([callId]);
  });

  it('keeps it from a connection that was replaced, which a node that stood still serves late', async () => {
    const { ask, given, legId } = openOwner();
    expect(await ask({ leg_id: legId, generation: 0 })).toMatchObject({ fault: 'leg_replaced' });
    expect(given).toEqual([]);
  });

  it('gives it to a provider’s stream, which has no generation', async () => {
    const { ask, given, callId } = openOwner();
    expect(await ask({})).toMatchObject({ ok: true });
    expect(given).toEqual([callId]);
  });
});

describe('a call that one of its legs wants elsewhere', () => {
  /** A leg that is on a line here, or was. */
  const onLine = (id: string, role: string, facts: { isActive?: boolean; agent?: object } = {}) => ({
    party: new LegParty({ id, role, state: { name: facts.isActive === false ? 'lost' : 'active' } } as never),
    agent: facts.agent,
  });
  const isKept = (members: readonly object[], leg_id?: string): boolean =>
    staysWith({ roster: { present: members } } as never, leg_id === undefined ? {} : { leg_id });

  it('stays where somebody else of it is on a line, whether the comer’s old line is known as gone or not', () => {
    const caller = onLine('leg_1', 'caller');
    expect(isKept([caller, onLine('leg_2', 'supervisor', { isActive: false })], 'leg_2')).toBe(true);
    expect(isKept([caller, onLine('leg_2', 'supervisor')], 'leg_2')).toBe(true);
    expect(isKept([onLine('leg_1', 'caller', { isActive: false }), onLine('leg_2', 'human')])).toBe(true);
  });

  it('goes where nobody else of it is on a line, but a backend that is dialled again there', () => {
    const backend = onLine('leg_2', 'agent', { agent: {} });
    expect(isKept([onLine('leg_1', 'caller')], 'leg_1')).toBe(false);
    expect(isKept([onLine('leg_1', 'caller')])).toBe(false);
    expect(isKept([onLine('leg_1', 'caller', { isActive: false }), backend], 'leg_1')).toBe(false);
  });
});
