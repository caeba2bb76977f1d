import { describe, expect, it } from 'vitest';
import { arrange, type Placed, type Situation, type SupervisorMode } from '../../src/call/arrangement.ts';

const party = (id: string, role: Placed['role'], wish: Partial<Placed> = {}): Placed => ({
  id,
  role,
  isMuted: false,
  supervision: null,
  ...wish,
});

const CALLER = party('caller', 'caller');
const AGENT = party('agent', 'agent');
const HUMAN = party('human', 'human');

function supervisor(supervision: SupervisorMode, id = 'boss'): Placed {
  return party(id, 'supervisor', { supervision });
}

function situation(parties: readonly Placed[], wish: Partial<Situation> = {}): Situation {
  return {
    parties,
    partnerId: 'agent',
    guestIds: [],
    consultedId: null,
    isOnHold: false,
    hearsPartnerOnHold: false,
    ...wish,
  };
}

function heardBy(listener: string, given: Situation): readonly string[] {
  return arrange(given).get(listener) ?? [];
}

describe('an arrangement', () => {
  it('lets the caller and its agent hear each other, and nobody themselves', () => {
    const talk = situation([CALLER, AGENT]);
    expect(arrange(talk)).toEqual(
      new Map([
        ['caller', ['agent']],
        ['agent', ['caller']],
      ]),
    );
  });

  it('is silence for a caller whom nobody has', () => {
    expect(arrange(situation([CALLER], { partnerId: null })).size).toBe(0);
  });

  it('leaves a party that only waits out of the conversation', () => {
    const waiting = situation([CALLER, AGENT, HUMAN]);
    expect(heardBy('human', waiting)).toEqual([]);
    expect(heardBy('caller', waiting)).toEqual(['agent']);
  });

  it('gives the caller whole to whom it was handed over, and the former agent nothing', () => {
    const handed = situation([CALLER, AGENT, HUMAN], { partnerId: 'human' });
    expect(heardBy('caller', handed)).toEqual(['human']);
    expect(heardBy('human', handed)).toEqual(['caller']);
    expect(heardBy('agent', handed)).toEqual([]);
  });

  it('lets invited guests and everybody else hear each other', () => {
    const conference = situation([CALLER, AGENT, HUMAN], { guestIds: ['human'] });
    expect(heardBy('caller', conference)).toEqual(['agent', 'human']);
    expect(heardBy('agent', conference)).toEqual(['caller', 'human']);
    expect(heardBy('human', conference)).toEqual(['caller', 'agent']);
  });

  it('keeps a caller on hold away from the agent, both ways', () => {
    const held = situation([CALLER, AGENT], { isOnHold: true });
    expect(arrange(held).size).toBe(0);
  });

  it('lets a caller on hold go on hearing an agent that keeps talking, and not be heard', () => {
    const held = situation([CALLER, AGENT], { isOnHold: true, hearsPartnerOnHold: true });
    expect(heardBy('caller', held)).toEqual(['agent']);
    expect(heardBy('agent', held)).toEqual([]);
  });

  it('lets the agent consult the target while the caller hears neither', () => {
    const consulting = situation([CALLER, AGENT, HUMAN], { consultedId: 'human', isOnHold: true });
    expect(heardBy('agent', consulting)).toEqual(['human']);
    expect(heardBy('human', consulting)).toEqual(['agent']);
    expect(heardBy('caller', consulting)).toEqual([]);
  });

  it('takes the voice of who is muted from everybody, and leaves the ear', () => {
    const muted = situation([party('caller', 'caller', { isMuted: true }), AGENT, supervisor('monitor')]);
    expect(heardBy('agent', muted)).toEqual([]);
    expect(heardBy('boss', muted)).toEqual(['agent']);
    expect(heardBy('caller', muted)).toEqual(['agent']);
  });

  describe('with a supervisor', () => {
    const talk = (mode: SupervisorMode, wish: Partial<Situation> = {}) =>
      situation([CALLER, AGENT, supervisor(mode)], wish);

    it('who monitors lets them hear all and be heard by nobody', () => {
      expect(heardBy('boss', talk('monitor'))).toEqual(['caller', 'agent']);
      expect(heardBy('caller', talk('monitor'))).toEqual(['agent']);
      expect(heardBy('agent', talk('monitor'))).toEqual(['caller']);
    });

    it('who whispers lets the agent side hear them alone', () => {
      expect(heardBy('boss', talk('whisper'))).toEqual(['caller', 'agent']);
      expect(heardBy('caller', talk('whisper'))).toEqual(['agent']);
      expect(heardBy('agent', talk('whisper'))).toEqual(['caller', 'boss']);
    });

    it('who barges in lets everybody hear them', () => {
      expect(heardBy('caller', talk('barge'))).toEqual(['agent', 'boss']);
      expect(heardBy('agent', talk('barge'))).toEqual(['caller', 'boss']);
    });

    it('who takes over makes them the agent', () => {
      const taken = talk('takeover', { partnerId: 'boss' });
      expect(heardBy('caller', taken)).toEqual(['boss']);
      expect(heardBy('boss', taken)).toEqual(['caller']);
      expect(heardBy('agent', taken)).toEqual([]);
    });

    it('lets them hear a consultation and the caller on hold', () => {
      const parties = [CALLER, AGENT, HUMAN, supervisor('monitor')];
      const consulting = situation(parties, { consultedId: 'human', isOnHold: true });
      expect(heardBy('boss', consulting)).toEqual(['caller', 'agent', 'human']);
    });

    it('keeps what one whispers from another who only monitors', () => {
      const two = situation([CALLER, AGENT, supervisor('whisper'), supervisor('monitor', 'coach')]);
      expect(heardBy('coach', two)).toEqual(['caller', 'agent']);
    });

    it('barging in while the caller is on hold is heard by the agent alone', () => {
      const held = talk('barge', { isOnHold: true });
      expect(heardBy('caller', held)).toEqual([]);
      expect(heardBy('agent', held)).toEqual(['boss']);
    });
  });
});
