import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CallSnapshot } from '../../../src/call/snapshot/call-snapshot.ts';
import { l16 } from '../../../src/media/format.ts';
import { Story } from '../../stories/story.ts';
import { Succession } from '../../stories/succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const TAKEOVER = { fence: 9, from: 'node-0', to: 'node-1' };

/** As a node of the first release wrote it; it stays as it is for as long as such nodes may be about. */
function stored(version: 1): CallSnapshot {
  const text = readFileSync(new URL(`./snapshot-v${version}.json`, import.meta.url), 'utf8');
  return JSON.parse(text) as CallSnapshot;
}

/** A call with something of everything: three legs and an agent of the house, one of them gone, on hold. */
function richCall(): Succession {
  const story = new Succession();
  const caller = story.arrives({ ...NATIVE, agentId: 'echo', credentialId: 'sc_1' });
  const join = (role: 'human' | 'supervisor') => story.arrives({ ...NATIVE, role, callId: story.call.id });
  const [human, supervisor, gone] = [join('human'), join('supervisor'), join('human')];
  gone.hangsUp();
  caller.speaks(400);
  story.node.asks('mute', { leg_id: human.legId, on: true });
  story.node.asks('set_gain', { leg_id: human.legId, gain_ratio: 0.5 });
  story.node.asks('supervise', { leg_id: supervisor.legId, mode: 'whisper' });
  story.node.asks('hold', { on: true, source: 'silence' });
  story.node.asks('set_disposition', { disposition: 'sale' });
  const segment = { speaker: 'caller', text: 'I would like two.', start_ms: 100, end_ms: 400 };
  story.node.asks('add_transcript', { segments: [segment] });
  story.node.passes(1_000);
  return story;
}

/** Every place of a value, and what kind of value is there; lists by their first. */
function formOf(value: unknown, path = '$'): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${path}[]`] : formOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null)
    return [`${path} ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([name, inner]) => formOf(inner, `${path}.${name}`));
}

describe('a stored snapshot of version 1', () => {
  it('is restored whole', () => {
    const snapshot = stored(1);
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    const lostSinceUnixMs = story.clock.unixMs();
    story.clock.advance(2_000);
    const call = story.calls.restore(snapshot, { ...TAKEOVER, lostSinceUnixMs }, story.clock.nowMs())!;
    const places = call.roster.present.map(({ party, isMuted, gainRatio, supervision, seat }) => {
      return [party.role, party.dialectName, seat, isMuted, gainRatio, supervision];
    });
    expect(places).toEqual([
      ['caller', 'native', 'partner', false, 1, null],
      ['agent', 'echo', 'partner', false, 1, null],
      ['human', 'native', 'guest', true, 0.5, null],
      ['supervisor', 'native', 'guest', false, 1, 'whisper'],
    ]);
    expect(call.roster.all).toHaveLength(5);
    expect(call.notes.disposition).toEqual({ disposition: 'sale', by: 'api' });
    expect(call.notes.transcript.map(({ text }) => text)).toEqual(['I would like two.']);
    expect(call.conversation.decisions.hold).toMatchObject({ name: 'on', source: 'silence' });
    call.end('api', story.clock.nowMs());
    expect(call.roster.talkMs()['caller']).toBe(400);
    expect(story.events[0]).toMatchObject({
      sequence: snapshot.sequence + 1,
      resource: { id: snapshot.facts.id },
    });
    expect(story.only('call_completed').data).toMatchObject({ disposition: 'sale', reason: 'api' });
  });

  it('has the form that is written now: another form is another version', () => {
    expect(formOf(richCall().snapshot())).toEqual(formOf(stored(1)));
  });
});
