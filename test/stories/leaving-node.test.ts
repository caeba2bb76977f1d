import { describe, expect, it } from 'vitest';
import { parseObject } from '../../src/base/json.ts';
import { Story, type StoryParty } from './story.ts';

const OTHER = 'ws://127.0.0.1:8082';
const URL = `${OTHER}/media/native`;

/** What a party was told in words, last. */
function lastWords(party: StoryParty): Readonly<Record<string, unknown>> | undefined {
  const words = party.socket.sent.findLast(({ isBinary }) => !isBinary);
  return words === undefined ? undefined : parseObject(words.bytes);
}

describe('a node that leaves', () => {
  it('tells who can come back where to, with a token that opens its leg', async () => {
    const story = new Story({ resumeUrls: [URL], limits: { resumeWindowMs: 30_000 } });
    const native = story.arrives({ dialect: 'native' });
    const twilio = story.arrives();
    const told = story.calls.all.map((call) => story.arrivals.farewells.goAway(call, OTHER));
    expect(told).toEqual([1, 0]);
    expect(lastWords(native)).toMatchObject({ type: 'goaway', url: URL, reason: 'draining' });
    expect(lastWords(twilio)).toBeUndefined();
    const claims = story.resumeTokens.verify(String(lastWords(native)!['token']), story.clock.unixMs())!;
    expect(await story.arrivals.resume(claims)).toBeDefined();
  });

  it('tells nobody to come back who would not be let in again', () => {
    const story = new Story({ resumeUrls: [URL] });
    const native = story.arrives({ dialect: 'native' });
    expect(story.calls.all.map((call) => story.arrivals.farewells.goAway(call, OTHER))).toEqual([0]);
    expect(lastWords(native)!['type']).not.toBe('goaway');
  });

  it('tells nobody who has left', () => {
    const story = new Story({ resumeUrls: [URL], limits: { resumeWindowMs: 30_000 } });
    const [gone, lost] = [story.arrives({ dialect: 'native' }), story.arrives({ dialect: 'native' })];
    gone.hangsUp();
    lost.losesItsSocket();
    expect(story.calls.all.map((call) => story.arrivals.farewells.goAway(call, OTHER))).toEqual([0]);
  });
});
