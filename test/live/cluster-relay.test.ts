import { afterEach, describe, expect, it } from 'vitest';
import { expectWhole, figureOf, hooksOf, Opened, RESUMING, untilCompleted } from './cluster-scene.ts';
import { Guest, type Ticket } from './guest.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';
import { TwilioCaller } from './twilio-caller.ts';

const opened = new Opened();
afterEach(() => opened.close());

const SPEECH = Buffer.alloc(160, 0x9a);

/** The same path at the door of one node, wherever it would lead otherwise. */
function atNode(house: House, node: number, url: string): string {
  const there = new URL(url);
  there.port = String(Number(new URL(house.ready.media_url).port) + 1 + node);
  return there.href;
}

async function urlOf(house: House, dialect: string): Promise<string> {
  const made = { dialect, agent_id: 'echo' };
  return (await house.api<{ url: string }>('POST', '/voice/stream-credentials', made)).url;
}

/** Somebody on a line of the call's own node: the call stays there. */
async function listenTo(house: House, callId: string): Promise<Guest> {
  const ticket = await house.api<Ticket>('POST', `/calls/${callId}/legs`, { role: 'supervisor' });
  return Guest.join(ticket);
}

/** The longest silence after that moment, with the one it began in. */
function gapAfterMs(heardAtMs: readonly number[], atMs: number): number {
  const gaps = heardAtMs.map((heard, i) => (heard < atMs ? 0 : heard - (heardAtMs[i - 1] ?? heard)));
  return Math.round(Math.max(0, ...gaps));
}

describe('a node that is killed under the calls of relayed legs', () => {
  it('leaves them to the node of their sockets, which stay open, and no frame is heard twice', async () => {
    const house = opened.own(await House.open({ MEDIA_NODES: '2', ...RESUMING }));
    const hooks = await hooksOf(house, opened);
    const caller = await NativeCaller.dial(atNode(house, 0, await urlOf(house, 'native')));
    const speech = new NumberedSpeech(caller);
    await until('the call to be told', () => hooks.callIds.includes(caller.callId));
    const first = await TwilioCaller.dial(atNode(house, 0, await urlOf(house, 'twilio')));
    void first.speak(SPEECH, true);
    await until('both calls', () => hooks.callIds.length === 2 && first.heard.length > 10);
    const streamed = hooks.callIds.find((callId) => callId !== caller.callId)!;
    for (const callId of hooks.callIds) await listenTo(house, callId);

    // Both come to the other node, while somebody else of their calls stays on a line of the first.
    await caller.leaveSilentLine(atNode(house, 1, `${house.ready.media_url}/media/native`));
    const stream = await TwilioCaller.dial(atNode(house, 1, first.url), {}, first.callSid);
    void stream.speak(SPEECH, true);
    await until('both relays', () => caller.resumedTimes() === 1 && stream.heard.length > 25);
    expect(await figureOf(house, 'relays_total')).toBe(2);

    const heardBefore = [speech.heard.length, stream.heard.length] as const;
    const killedAtMs = performance.now();
    process.kill(house.pidOf('node-0'), 'SIGKILL');
    await until('the native caller to go on', () => speech.heard.length > heardBefore[0] + 25);
    await until('the stream to go on', () => stream.heard.length > heardBefore[1] + 25);
    const gaps = [speech.heard.map(({ atMs }) => atMs), stream.heardAtMs];
    const [nativeMs = 0, streamMs = 0] = gaps.map((heardAtMs) => gapAfterMs(heardAtMs, killedAtMs));
    console.log(`killed under a relay: gap ${nativeMs} ms (native), ${streamMs} ms (a provider’s stream)`);
    expect(await figureOf(house, 'relays_followed_total')).toBe(2);
    // Told on the socket it has: its next token is of the node that has its call now.
    expect([caller.resumedTimes(), caller.isOnOpenLine, stream.closeCode]).toEqual([2, true, undefined]);
    expect([speech.doubledFrames, speech.framesOfOldLines]).toEqual([0, 0]);

    caller.hangUp();
    stream.hangUp();
    for (const callId of [caller.callId, streamed]) {
      await untilCompleted(hooks, callId);
      expectWhole(hooks.firstArrivals(callId));
    }
  });
});
