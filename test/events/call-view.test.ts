import { describe, expect, it } from 'vitest';
import { applyToCall, type CallView } from '../../src/events/call-view.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { callEnvelopes } from '../fakes/call-envelopes.ts';

const viewOf = (envelopes: readonly Envelope[]): CallView | undefined =>
  envelopes.reduce<CallView | undefined>(
    (view, envelope) => applyToCall(view, envelope, 'n0-abc'),
    undefined,
  );

describe('a call as its events tell it', () => {
  it('begins with call_started, and not before', () => {
    const { next } = callEnvelopes();
    expect(viewOf([{ ...next('leg_connected'), sequence: 1 }])).toBeUndefined();
    const started = callEnvelopes().next('call_started', { node: '0' });
    expect(viewOf([started])).toMatchObject({
      id: 'call_1',
      state: 'active',
      node: '0',
      incarnation: 'n0-abc',
    });
  });

  it('has its legs come and go', () => {
    const { next } = callEnvelopes();
    const view = viewOf([
      next('call_started'),
      next('leg_connected', { leg_id: 'leg_1', role: 'caller', dialect: 'twilio', codec: 'PCMU/8000' }),
      next('leg_connected', { leg_id: 'leg_2', role: 'agent', dialect: 'echo', codec: null }),
      next('leg_disconnected', { leg_id: 'leg_1', reason: 'hangup' }, 'ending'),
    ]);
    expect(view?.legs).toMatchObject([
      { leg_id: 'leg_1', codec: 'PCMU/8000', reason: 'hangup' },
      { leg_id: 'leg_2', disconnected_at: null },
    ]);
    expect(view?.state).toBe('ending');
  });

  it('ends once and completes once', () => {
    const { next } = callEnvelopes();
    const events = [
      next('call_started'),
      next('call_ended', { reason: 'provider_stop' }, 'ended'),
      next('call_completed', { quality: { leg_1: {} } }, 'ended'),
    ];
    expect(viewOf(events)).toMatchObject({
      state: 'ended',
      end_reason: 'provider_stop',
      completed: true,
      sequence: 3,
      quality: { leg_1: {} },
    });
  });

  it('does not move on an event it has seen', () => {
    const { next } = callEnvelopes();
    const events = [next('call_started'), next('voice_detected', { leg_id: 'leg_1' })];
    const view = viewOf(events);
    expect(applyToCall(view, events[1]!, 'n0-abc')).toBe(view);
  });

  it('keeps a bounded timeline', () => {
    const { next } = callEnvelopes();
    const events = [next('call_started'), ...Array.from({ length: 700 }, () => next('dtmf_received'))];
    const view = viewOf(events);
    expect(view?.timeline).toHaveLength(500);
    expect(view?.sequence).toBe(701);
  });
});
