import { describe, expect, it } from 'vitest';
import { CALL_COMMAND_NAMES, readCallCommand } from '../../src/events/call-commands.ts';

const read = (name: string, args: object) => readCallCommand(name, args as never);

describe('a command', () => {
  it('is read whole, with what was not said by default', () => {
    expect(readCallCommand('hold', { on: true })).toEqual({ name: 'hold', on: true, source: 'music' });
    expect(readCallCommand('clear', {})).toEqual({ name: 'clear', leg_id: null });
    expect(readCallCommand('dtmf', { digits: '12a#' })).toEqual({
      name: 'dtmf',
      digits: '12A#',
      leg_id: null,
    });
    expect(readCallCommand('hand_over', { target: { type: 'queue', to: 'sales' } })).toEqual({
      name: 'hand_over',
      target: { type: 'queue', to: 'sales' },
      mode: 'cold',
      hold: 'music',
      reason: null,
      context: {},
      timeout_ms: 30_000,
    });
  });

  it('takes flags and numbers as text, as providers and models write them', () => {
    expect(readCallCommand('mute', { leg_id: 'leg_1', on: 'false' })).toMatchObject({ on: false });
    expect(readCallCommand('set_gain', { leg_id: 'leg_1', gain_ratio: '0.5' })).toMatchObject({
      gain_ratio: 0.5,
    });
  });

  it.each([
    ['invite', { role: 'human' }],
    ['qualify', { score: 3 }],
    ['tell_answer', { result: 'human' }],
    ['hand_over', { target: { type: 'queue', to: 'sales' } }],
    ['fork', { url: 'wss://example.com/ear' }],
    ['add_transcript', { segments: [{ speaker: 'caller', text: 'hello' }] }],
    ['play', { url: 'https://example.com/a.wav' }],
    ['clear', {}],
    ['pause', { leg_id: 'leg_1' }],
    ['resume', {}],
    ['dtmf', { digits: '1' }],
    ['set_disposition', { disposition: 'sold' }],
  ])('%s %j is read again out of what reading it gave', (name, args) => {
    const command = read(name, args);
    expect(command).toMatchObject({ name });
    expect(read(name, command)).toEqual(command);
  });

  it('takes null for what was not said, where that may be left out', () => {
    expect(read('hold', { on: true, source: null })).toMatchObject({ source: 'music' });
    expect(read('play', { url: 'a', loop: null, gain_ratio: null })).toMatchObject({
      loop: false,
      gain_ratio: 1,
    });
    expect(read('hold', { on: null })).toMatchObject({ type: 'refusal' });
  });

  it('that does not exist is refused, whatever it is called', () => {
    for (const name of ['', 'explode', 'constructor', '__proto__', 'toString']) {
      expect(readCallCommand(name, {})).toMatchObject({ type: 'refusal', fault: 'invalid_argument' });
    }
  });

  it.each([
    ['mute', { on: true }, 'leg_id'],
    ['mute', { leg_id: 'leg_1', on: 'maybe' }, 'on'],
    ['dtmf', { digits: '12x' }, 'digits'],
    ['dtmf', { digits: '1'.repeat(65) }, 'digits'],
    ['set_gain', { leg_id: 'leg_1', gain_ratio: 4.5 }, 'gain_ratio'],
    ['supervise', { leg_id: 'leg_1', mode: 'spy' }, 'mode'],
    ['invite', { role: 'human', mode: 'barge' }, 'mode'],
    ['hand_over', { target: 'sales' }, 'target'],
    ['hand_over', { target: { type: 'queue', to: 'q' }, timeout_ms: 1 }, 'timeout_ms'],
    ['add_transcript', { segments: [] }, 'segments'],
    ['add_transcript', { segments: [{ speaker: 'caller' }] }, 'segments'],
    ['record', { action: 'rewind' }, 'action'],
    ['qualify', { score: 'high' }, 'score'],
  ])('%s %j is refused by its field', (name, args, field) => {
    const answer = read(name, args);
    expect(answer).toMatchObject({ type: 'refusal', fault: 'invalid_argument' });
    expect((answer as { detail: string }).detail.startsWith(field)).toBe(true);
  });

  it('for a telephone number can only hand over cold', () => {
    const answer = read('hand_over', { target: { type: 'phone', to: '+15550100' }, mode: 'warm' });
    expect(answer).toMatchObject({ type: 'refusal', fault: 'failed_precondition' });
  });

  it('keeps a context that looks like a refusal of ours', () => {
    const context = { type: 'refusal', fault: 'nonsense', detail: 'x' };
    expect(read('hand_over', { target: { type: 'queue', to: 'q' }, context })).toMatchObject({ context });
  });

  it('never throws, whatever its arguments are', () => {
    const odd = [null, 1, 'x', [], {}, { a: 1 }, Number.NaN, '\0', 'a'.repeat(5_000), true];
    for (const name of CALL_COMMAND_NAMES) {
      for (const value of odd) {
        const fields = [
          'on',
          'leg_id',
          'mode',
          'url',
          'digits',
          'to',
          'target',
          'segments',
          'score',
          'action',
        ];
        const args = Object.fromEntries(fields.map((field) => [field, value]));
        expect(() => read(name, args)).not.toThrow();
      }
    }
  });
});
