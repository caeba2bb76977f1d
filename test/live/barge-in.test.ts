import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { JsonObject } from '../../src/base/json.ts';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { BackendServer } from '../fakes/backend-server.ts';
import { agentVoice, callerVoice } from '../media/echo-guard/lines.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

const FRAME_BYTES = 160;
const ITEM_FRAMES = 400;
const WORD_SAMPLES = 4_800;

let house: House;
let agents: BackendServer;
let told: JsonObject[];

/** An agent that says one item of eight seconds at once, and writes down what it is told. */
function speak(socket: WebSocket): void {
  const said = agentVoice();
  const item = Int16Array.from({ length: ITEM_FRAMES * FRAME_BYTES }, (_, i) => said[i % said.length]!);
  const voice = mulawOf(item);
  socket.on('message', (message: Buffer, isBinary) => {
    if (isBinary) return;
    const word = JSON.parse(message.toString()) as JsonObject;
    told.push(word);
    if (word['type'] !== 'start') return;
    socket.send('{"type":"started"}');
    socket.send('{"type":"agent_speaking","item_id":"item-1"}');
    socket.send(voice, { binary: true });
    socket.send('{"type":"agent_spoke","item_id":"item-1"}');
  });
}

function mulawOf(samples: Int16Array): Buffer {
  const codes = Buffer.alloc(samples.length);
  encodeMulawInto(samples, codes);
  return codes;
}

/** Where the line of a caller to an agent of this policy is dialled. */
async function publish(barge_in: string): Promise<string> {
  const own = <T>(path: string, body: object): Promise<T> =>
    house.api<T>('POST', path, body, house.ready.api_key);
  const backends = [{ name: 'own', dialect: 'native', url: agents.url }];
  const { id } = await own<{ id: string }>('/agents', {
    name: barge_in,
    barge_in,
    greeting: 'Hello.',
    backends,
  });
  await own(`/agents/${id}/publish`, {});
  const wish = { dialect: 'twilio', agent_id: id };
  return (await own<{ url: string }>('/voice/stream-credentials', wish)).url;
}

beforeAll(async () => {
  told = [];
  agents = await BackendServer.open(speak, { subprotocol: 'omnivoice.v1' });
  house = await House.open({ EGRESS_ALLOW: '127.0.0.0/8,::1/128' });
}, 60_000);

afterAll(async () => {
  await house.close();
  await agents.close();
});

it('what nobody heard of an agent is dropped at the provider, and the agent is told so', async () => {
  const caller = await TwilioCaller.dial(await publish('clear'));
  await until('the agent', () => caller.heard.length >= 25);
  const voice = callerVoice(agentVoice(), 0);
  const word = voice.subarray(voice.findIndex((sample) => Math.abs(sample) > 800)).subarray(0, WORD_SAMPLES);
  await caller.speak(mulawOf(word));
  await until('the agent to be told', () => told.some(({ type }) => type === 'interrupted'));
  await until('the clear', () => caller.clearedAfterFrames.length > 0);
  const { item_id, played_ms } = told.find(({ type }) => type === 'interrupted')!;
  const [heardFrames] = caller.clearedAfterFrames;
  expect([item_id, played_ms]).toEqual(['item-1', 20 * heardFrames!]);
  expect(heardFrames).toBeLessThan(ITEM_FRAMES);
  expect([caller.clearedAfterFrames, caller.heard.length]).toEqual([[heardFrames], heardFrames]);
  caller.hangUp();
}, 30_000);
