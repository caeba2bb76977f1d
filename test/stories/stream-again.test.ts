import { describe, expect, it } from 'vitest';
import { Story } from './story.ts';

const OURS = { dialect: 'twilio', agentId: 'echo', credentialId: 'sc_1' } as const;

describe('a provider that was told to stream again', () => {
  it('comes back to its call, which goes on', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    const caller = story.arrives(OURS);
    const { id } = story.call;
    caller.losesItsSocket();
    story.passes(5_000);
    const again = story.arrives({ ...OURS, parameters: { resumes: id } });
    expect(story.events.at(-1)).toMatchObject({
      type: 'leg_connected',
      resource: { id },
      data: { resumed: true, role: 'caller' },
    });
    story.passes(60_000);
    expect(story.types).not.toContain('call_ended');
    expect(story.only('call_started').resource.id).toBe(id);
    expect(again.socket.closed).toBeUndefined();
  });

  it('may be faster than the end of its old stream: that one is closed', () => {
    const story = new Story();
    const caller = story.arrives(OURS);
    story.arrives({ ...OURS, parameters: { resumes: story.call.id } });
    expect(caller.socket.closed).toEqual({ closeCode: 4409, reason: 'leg_replaced' });
    expect(story.types).not.toContain('call_ended');
  });

  it('starts no other call where its own has ended', () => {
    const story = new Story();
    const caller = story.arrives(OURS);
    const { id } = story.call;
    caller.hangsUp();
    expect(() => story.arrives({ ...OURS, parameters: { resumes: id } })).toThrow('call_not_found');
    story.only('call_started');
  });

  it('reaches no call of another credential', () => {
    const story = new Story();
    story.arrives(OURS);
    const parameters = { resumes: story.call.id };
    expect(() => story.arrives({ ...OURS, credentialId: 'sc_2', parameters })).toThrow('call_not_found');
    const { credentialId: _, ...nameless } = OURS;
    expect(() => story.arrives({ ...nameless, parameters })).toThrow('call_not_found');
  });
});
