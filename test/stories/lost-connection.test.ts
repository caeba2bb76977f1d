import { describe, expect, it } from 'vitest';
import type { ResumeClaims } from '../../src/gateway/resume-token.ts';
import { dialectOf } from '../../src/dialect/registry.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';
import { Story, type StoryParty } from './story.ts';

function claimsOf(story: Story, caller: StoryParty): ResumeClaims {
  const claims = story.resumeTokens.verify(caller.resumeToken!, story.clock.unixMs());
  if (claims === undefined) throw new Error('the started message carried no good token');
  return claims;
}

async function comesBack(story: Story, claims: ResumeClaims): Promise<MemorySocket | string> {
  const resumption = await story.arrivals.resume(claims);
  if (resumption === undefined) return 'nobody knows the call';
  const socket = new MemorySocket();
  const dialect = dialectOf('native')!;
  const session = dialect.openSession({
    nowMs: 0,
    upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
    options: {},
  });
  const into = { payload: new Uint8Array(65_536), payloadBytes: 0, sequence: -1, timestampMs: -1 };
  const start = new TextEncoder().encode(
    '{"type":"start","version":1,"format":{"codec":"pcmu","sample_rate":8000}}',
  );
  const started = session.read(start, false, into);
  if (started.type !== 'started') throw new Error(JSON.stringify(started));
  const { caller } = resumption;
  const arrival = { caller, dialect, session, started, socket, receivedAtMs: story.clock.nowMs() };
  const line = resumption.arrive(arrival, story.clock.nowMs());
  return 'fault' in line ? line.fault : socket;
}

describe('a native client that lost its connection', () => {
  it('comes back to its leg within the window, and the call goes on', async () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    const caller = story.arrives({ dialect: 'native' });
    const claims = claimsOf(story, caller);
    caller.losesItsSocket();
    story.passes(5_000);
    const socket = await comesBack(story, claims);
    expect(socket).toBeInstanceOf(MemorySocket);
    expect(story.events.at(-1)).toMatchObject({
      type: 'leg_connected',
      data: { resumed: true, role: 'caller' },
    });
    story.passes(60_000);
    expect(story.types).not.toContain('call_ended');
  });

  it('may come back before the old socket is gone: that one is closed as replaced', async () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native' });
    await comesBack(story, claimsOf(story, caller));
    expect(caller.socket.closed).toEqual({ closeCode: 4409, reason: 'leg_replaced' });
    caller.losesItsSocket();
    expect(story.types).not.toContain('call_ended');
  });

  it('is not given a leg that a newer connection has', async () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native' });
    const claims = claimsOf(story, caller);
    await comesBack(story, claims);
    expect(await comesBack(story, claims)).toBe('leg_replaced');
  });

  it('finds nobody when the call has ended', async () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native' });
    const claims = claimsOf(story, caller);
    caller.hangsUp();
    expect(await comesBack(story, claims)).toBe('nobody knows the call');
  });
});
