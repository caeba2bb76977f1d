import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CallDirectory } from '../../../src/call/directory.ts';
import type { PeerQuestion } from '../../../src/cluster/peers/peer-messages.ts';
import { PeerAnswers } from '../../../src/node/cluster/peer-answers.ts';
import { Tails } from '../../../src/node/drain/tails.ts';
import { FakeClock } from '../../fakes/clock.ts';

const SNAPSHOT = new URL('../../call/snapshot/snapshot-v1.json', import.meta.url);

/** A node that has one call, whose caller is on its connection of generation 1. */
function openOwner() {
  const clock = new FakeClock();
  const limits = { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 30_000 };
  const calls = new CallDirectory({ clock, sink: { accept: () => {} }, limits });
  const takeover = { fence: 1, from: '0', to: '1', lostSinceUnixMs: clock.unixMs() };
  const call = calls.restore(JSON.parse(readFileSync(SNAPSHOT, 'utf8')), takeover, clock.nowMs())!;
  const given: string[] = [];
  const answers = new PeerAnswers({
    clock,
    calls,
    links: { changed: () => {} },
    relays: { carried: () => {}, ended: () => {} },
    handOver: (callId) => given.push(callId),
    leaving: { gives: () => false, speakingOn: () => [] },
    tails: new Tails(clock),
    onDraining: () => {},
    drainNode: () => {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const legId = call.roster.caller?.party.id ?? '';
  const ask = (comer: { leg_id?: string; generation?: number }) => {
    const question: PeerQuestion = { name: 'give', call_id: call.id, to: 'n1', ...comer };
    return answers.answer(question, { bufferedBytes: 0, carry: () => true });
  };
  return { ask, given, legId, callId: call.id };
}

describe('an owner that is asked for its call', () => {
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
