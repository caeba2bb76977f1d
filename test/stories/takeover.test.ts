import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/events/envelope.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryOptions } from './story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: 'echo' } as const;
const WINDOW_MS = 30_000;

/** Two nodes, one after the other: what the first had saved is all the second knows. */
class Succession {
  readonly events: Envelope[] = [];
  readonly first: Story;
  readonly second: Story;
  #token = 100;

  constructor(options: StoryOptions = {}) {
    const limits = { resumeWindowMs: WINDOW_MS, ...options.limits };
    const both = { ...options, events: this.events, limits };
    this.first = new Story({ ...both, node: 'a' });
    this.second = new Story({ ...both, node: 'b', clock: this.first.clock });
  }

  saved(): string {
    return JSON.stringify(this.first.call.save(this.first.clock.nowMs()));
  }

  /** The first node is gone; `afterMs` later somebody comes to the second, which takes the call over. */
  takesOver({ afterMs = 500, saved = this.saved() } = {}): void {
    const { first, second } = this;
    const lostSinceUnixMs = first.clock.unixMs();
    const { id } = first.call;
    first.calls.surrender(id, first.clock.nowMs());
    first.clock.advance(afterMs);
    const takeover = { fence: ++this.#token, from: 'a', to: 'b', lostSinceUnixMs };
    second.calls.restore(JSON.parse(saved), takeover, second.clock.nowMs());
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }
}

describe('a call whose node died', () => {
  it('goes on at another node when its caller comes there: the echo answers again, the events go on', async () => {
    const story = new Succession();
    const caller = story.first.arrives(NATIVE);
    caller.speaks(200);
    const told = story.events.length;
    story.takesOver();
    expect(story.events).toHaveLength(told);
    const back = await story.second.comesBack(caller);
    back.speaks(200);
    expect(back.heard.map((frame) => frame[0])).toEqual(Array.from({ length: 10 }, () => 8000));
    expect(story.events.slice(told, told + 3)).toMatchObject([
      { type: 'voice_ended' },
      { type: 'leg_connected', data: { leg_id: caller.legId, role: 'caller', resumed: true } },
      { type: 'call_recovered', data: { from_node: 'a', to_node: 'b', gap_ms: 500 } },
    ]);
    back.hangsUp();
    expect(story.types.slice(-2)).toEqual(['call_ended', 'call_completed']);
    expect(story.events.map(({ sequence }) => sequence)).toEqual(story.events.map((_, i) => i + 1));
    expect(story.second.failures).toEqual([]);
  });
});
