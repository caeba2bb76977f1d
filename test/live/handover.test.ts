import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { Guest, type Ticket } from './guest.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

// µ-law codes of positive samples number the target's frames, those of negative ones the agent's.
const FRAMES = 100;
const TARGET_CODE = 0x80;
const AGENT_CODE = 0x02;
const targetFrame = (index: number): Buffer => Buffer.alloc(160, TARGET_CODE + index);
const agentFrame = (index: number): Buffer => Buffer.alloc(160, AGENT_CODE + index);
const ALL = Array.from({ length: FRAMES }, (_, index) => index);

interface Scene {
  readonly caller: TwilioCaller;
  readonly agent: Guest;
  readonly callId: string;
}

let house: House;
let scene: Scene | undefined;
beforeAll(async () => {
  // Here both sides of a briefing speak at once: neither is to cut the other short.
  house = await House.open({ BARGE_IN: 'ignore' });
});
afterEach(async () => {
  scene?.caller.hangUp();
  await until('the end', () => scene === undefined || scene.caller.closeCode !== undefined);
  scene = undefined;
});
afterAll(() => house?.close());

const ask = <T>(callId: string, path: string, body: object): Promise<T> =>
  house.api<T>('POST', `/calls/${callId}/${path}`, body);

/** A caller by Twilio, who keeps silent, and an agent by `native`. */
async function openScene(): Promise<Scene> {
  const made = { dialect: 'twilio' };
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made);
  const caller = await TwilioCaller.dial(url);
  void caller.speak(Buffer.alloc(160, 0xff), true);
  const callId = await findCall();
  const agent = await Guest.join(await ask<Ticket>(callId, 'legs', { role: 'agent' }));
  scene = { caller, agent, callId };
  return scene;
}

async function findCall(): Promise<string> {
  for (;;) {
    const [call] = await house.api<{ id: string }[]>('GET', '/calls?state=active');
    if (call !== undefined) return call.id;
  }
}

interface Started {
  readonly handover_id: string;
  readonly join: Ticket;
  readonly context: JsonObject & { readonly summary: unknown };
}

const handOver = (callId: string, args: JsonObject): Promise<Started> =>
  ask<Started>(callId, 'handover', { target: { type: 'queue', to: 'sales' }, hold: 'silence', ...args });

/** Which frames of a speaker were heard, in order. */
function numbersIn(heard: readonly Buffer[], firstCode: number): number[] {
  return heard.map((frame) => frame[80]! - firstCode).filter((index) => index >= 0 && index < FRAMES);
}

const typesOf = async (callId: string): Promise<readonly string[]> => {
  const { timeline } = await house.api<{ timeline: { type: string }[] }>('GET', `/calls/${callId}`);
  return timeline.map(({ type }) => type);
};

interface Paused {
  readonly paused: readonly { readonly unplayed_ms: number }[];
}

/** Ten frames wait at the caller, and go on when they are asked for. */
async function saysToAPausedCaller(callId: string, agent: Guest): Promise<void> {
  await ask(callId, 'pause', {});
  await agent.speak(agentFrame, 10);
  for (let waits = false; !waits;) {
    const { paused } = await ask<Paused>(callId, 'pause', {});
    waits = paused.some(({ unplayed_ms }) => unplayed_ms === 200);
  }
  await ask(callId, 'resume', {});
}

describe('a handover from a native agent to a native human, its caller by Twilio', () => {
  it('cold: every frame of the human is heard, from the first, once, and the agent is gone', async () => {
    const { caller, agent, callId } = await openScene();
    const { join } = await handOver(callId, { mode: 'cold' });
    const human = await Guest.join(join);
    await human.speak(targetFrame, FRAMES);
    await until('the last word', () => numbersIn(caller.heard, TARGET_CODE).length >= FRAMES);
    expect(numbersIn(caller.heard, TARGET_CODE)).toEqual(ALL);
    await until('the success', () => human.events.includes('transfer_success'));
    expect(numbersIn(agent.heard, TARGET_CODE)).toEqual([]);
    await until('its end', () => agent.closeCode !== undefined);
    expect(human.heard.length).toBeGreaterThan(FRAMES / 2);
  });

  it.each(['warm', 'whisper'])(
    '%s: what the human says goes to the agent until the switch and to the caller after it, no frame missing or twice',
    async (mode) => {
      const { caller, agent, callId } = await openScene();
      await ask(callId, 'transcript', { segments: [{ speaker: 'caller', text: 'I want to buy a boat.' }] });
      const { handover_id, join, context } = await handOver(callId, { mode });
      expect(context.summary).toEqual({ method: 'lexrank', text: 'caller: I want to buy a boat.' });
      const human = await Guest.join(join);
      const spoken = human.speak(targetFrame, FRAMES);
      await until('the human', () => numbersIn(agent.heard, TARGET_CODE).length > 5);
      await agent.speak(agentFrame, 25);
      await until('the briefing', () => numbersIn(human.heard, AGENT_CODE).length >= 25);
      expect(await ask(callId, `handover/${handover_id}/complete`, {})).toEqual({
        handover_id,
        state: 'bridged',
      });
      await spoken;
      await until('the last word', () => numbersIn(caller.heard, TARGET_CODE).at(-1) === FRAMES - 1);
      const byAgent = numbersIn(agent.heard, TARGET_CODE);
      const byCaller = numbersIn(caller.heard, TARGET_CODE);
      expect([...byAgent, ...byCaller]).toEqual(ALL);
      expect(Math.min(byAgent.length, byCaller.length)).toBeGreaterThan(5);
      expect(numbersIn(human.heard, AGENT_CODE)).toEqual(ALL.slice(0, 25));
      expect(numbersIn(caller.heard, AGENT_CODE)).toEqual([]);
      await until('the success', () => human.events.includes('transfer_success'));
    },
  );

  it('taken back: the agent is heard again, and who comes late is closed with 4411', async () => {
    const { caller, agent, callId } = await openScene();
    const { handover_id, join } = await handOver(callId, { mode: 'cold' });
    const second = await house.fetch('POST', `/calls/${callId}/handover`, {
      target: { type: 'queue', to: 'sales' },
    });
    expect(second.status).toBe(409);
    await ask(callId, `handover/${handover_id}/cancel`, {});
    const late = await Guest.join(join);
    await until('its end', () => late.closeCode !== undefined);
    expect(late.closeCode).toBe(4411);
    await saysToAPausedCaller(callId, agent);
    await until('the agent', () => numbersIn(caller.heard, AGENT_CODE).length === 10);
    expect(numbersIn(caller.heard, AGENT_CODE)).toEqual(ALL.slice(0, 10));
    await until('the failure', () => agent.events.includes('transfer_failed'));
    expect(await typesOf(callId)).toContain('transfer_failed');
  });
});
