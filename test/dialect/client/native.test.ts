import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { JsonObject } from '../../../src/base/json.ts';
import { BackendHouse, type Talk } from '../../fakes/backend-house.ts';
import { BackendServer } from '../../fakes/backend-server.ts';
import { until } from '../../fakes/until.ts';

const STARTED = { type: 'started', version: 1, call_id: 'theirs', leg_id: 'theirs', resume: null };

let server: BackendServer;
let house: BackendHouse;
let socket: WebSocket;
let words: JsonObject[];
let heard: Buffer[];
beforeEach(async () => {
  words = [];
  heard = [];
  house = new BackendHouse();
  server = await BackendServer.open(
    (opened) => {
      socket = opened;
      opened.on('message', (message, isBinary) => {
        if (isBinary) {
          heard.push(message as Buffer);
          return;
        }
        const word = JSON.parse((message as Buffer).toString()) as JsonObject;
        words.push(word);
        if (word['type'] === 'start') say(STARTED);
      });
    },
    { subprotocol: 'omnivoice.v1' },
  );
});
afterEach(async () => {
  await house.closeSoundly();
  await server.close();
});

function say(word: object | Buffer): void {
  socket.send(word instanceof Buffer ? word : JSON.stringify(word));
}

function dial(): Promise<Talk> {
  const tool = { name: 'lookup', description: 'Looks up.', parameters: { type: 'object' } };
  return house
    .dial({
      url: server.url,
      apiKey: 'secret',
      instructions: 'Be brief.',
      greeting: 'Hello.',
      tools: [tool],
      settings: { temperature: 0.2 },
    })
    .isUp();
}

async function told(type: string): Promise<JsonObject> {
  const find = (): JsonObject | undefined => words.find((word) => word['type'] === type);
  await until(() => find() !== undefined, type);
  return find()!;
}

describe('a backend that speaks omnivoice.v1', () => {
  it('is told of the call and of the agent it is to be', async () => {
    await dial();
    expect(server.requests[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      'sec-websocket-protocol': 'omnivoice.v1',
    });
    expect(await told('start')).toMatchObject({
      version: 1,
      format: { in: { codec: 'pcmu', rate: 8000 }, out: { codec: 'pcmu', rate: 8000 } },
      call_id: 'call_1',
      from: '+15550100',
      to: '+15550199',
      parameters: { lead_id: '884' },
      agent: {
        instructions: 'Be brief.',
        greeting: 'Hello.',
        tools: [{ name: 'lookup' }],
        history: [],
        settings: { temperature: 0.2 },
      },
    });
  });

  it('hears the caller and is heard', async () => {
    const talk = await dial();
    talk.leg.forward(new Int16Array(160));
    await until(() => heard.length === 1, 'the caller');
    expect(heard[0]).toEqual(Buffer.alloc(160, 0xff));
    say(Buffer.alloc(400, 0xff));
    await until(() => talk.frames.length === 2, 'the agent');
    expect(talk.samples).toEqual(new Int16Array(320));
  });

  it('says the words of agents', async () => {
    const talk = await dial();
    say({ type: 'caller_speaking' });
    say({ type: 'agent_speaking', item_id: 'a1' });
    say({ type: 'agent_spoke', item_id: 'a1' });
    say({ type: 'transcript', speaker: 'agent', text: 'Hello.', final: false, confidence: '0.5' });
    say({ type: 'tool_call', id: 't1', name: 'lookup', arguments: { id: 42 } });
    say({ type: 'agent_error', code: 'model', detail: 'it fell over', fatal: 'true' });
    say({ type: 'mark', name: 'utt-7' });
    say({ type: 'clear' });
    say({ type: 'command', id: 'c-1', name: 'hang_up' });
    say({ type: 'weather', is: 'fine' });
    await talk.hears('command', 3);
    expect(talk.inputs).toEqual([
      { type: 'caller_speaking' },
      { type: 'agent_speaking', itemId: 'a1' },
      { type: 'agent_spoke', itemId: 'a1' },
      {
        type: 'transcript',
        speaker: 'agent',
        text: 'Hello.',
        isFinal: false,
        startMs: null,
        endMs: null,
        confidence: 0.5,
      },
      { type: 'tool_call', id: 't1', name: 'lookup', argumentsText: '{"id":42}' },
      { type: 'agent_error', code: 'model', detail: 'it fell over', isFatal: true },
      { type: 'command', id: null, name: 'mark', args: { name: 'utt-7' } },
      { type: 'command', id: null, name: 'clear', args: {} },
      { type: 'command', id: 'c-1', name: 'hang_up', args: {} },
    ]);
  });

  it('is told of interruptions, results, digits, marks, and the end', async () => {
    const talk = await dial();
    talk.line!.interrupt('a1', 119.9);
    talk.line!.answerTool({ id: 't1', name: 'lookup', ok: true, value: { balance: 42 } });
    talk.line!.tell('the caller is a member');
    const { session } = talk.leg;
    for (const message of [session.writeDtmf('5'), session.writeMarkPlayed?.('utt-7', 340)])
      talk.leg.send(message!);
    talk.leg.send(session.writeAnswer({ id: 'c-1', ok: true })!);
    talk.leg.end('call_ended', 1000, house.clock.nowMs());
    await told('bye');
    expect(words.slice(1)).toEqual([
      { type: 'interrupted', item_id: 'a1', played_ms: 119 },
      { type: 'tool_result', id: 't1', name: 'lookup', ok: true, value: { balance: 42 } },
      { type: 'context', text: 'the caller is a member' },
      { type: 'dtmf', digit: '5' },
      { type: 'mark_played', name: 'utt-7', played_ms: 340 },
      { type: 'result', id: 'c-1', ok: true },
      { type: 'bye', reason: 'hangup' },
    ]);
  });

  it('hangs up by a word or by closing, and is lost where it breaks off', async () => {
    const talk = await dial();
    say({ type: 'ended', reason: 'done' });
    expect(await talk.hears('hung_up')).toEqual([{ type: 'hung_up', reason: 'peer' }]);
    const closing = await dial();
    socket.close(1000);
    await closing.hears('hung_up');
    const broken = await dial();
    socket.terminate();
    await until(() => broken.isLost, 'the loss');
  });

  it('is refused by its own word before the start', async () => {
    const talk = house.dial({ url: server.url });
    await until(() => words.length === 1, 'the start');
    say({ type: 'error', fault: 'unsupported_format', detail: 'no' });
    // It had said `started` first, so that the leg is up and then broken.
    await until(() => talk.broken.length === 1, 'the break');
    expect(talk.broken).toEqual(['unsupported_format']);
  });
});
