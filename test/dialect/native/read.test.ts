import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { nativeDialect } from '../../../src/dialect/native/dialect.ts';
import { openLine, payloadOf, rampFrame, type Line } from '../wire.ts';

const L16_16K = { codec: 'l16', rate: 16000 };

function refused(fault: string): object {
  return { type: 'refusal', fault };
}

function openStarted(start: object = {}): Line {
  const line = openLine(nativeDialect);
  expect(line.text({ type: 'start', ...start }).type).toBe('started');
  return line;
}

function saidFirst(message: object): unknown {
  return openLine(nativeDialect).text(message);
}

describe('reading start', () => {
  it('has a default for everything', () => {
    const format = { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true };
    expect(saidFirst({ type: 'start' })).toEqual({
      type: 'started',
      providerCallId: null,
      providerStreamId: null,
      inbound: format,
      outbound: format,
      bidirectional: true,
      parameters: {},
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it.each([
    [
      { codec: 'PCMA', rate: '8000' },
      { codec: 'pcma', sampleRateHz: 8000, littleEndian: true },
    ],
    [{ codec: 'l16' }, { codec: 'l16', sampleRateHz: 8000, littleEndian: true }],
    [L16_16K, { codec: 'l16', sampleRateHz: 16000, littleEndian: true }],
    [
      { codec: 'l16', rate: 16000, endian: 'big' },
      { codec: 'l16', sampleRateHz: 16000, littleEndian: false },
    ],
    [null, { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true }],
  ])('takes %j for both directions', (format, expected) => {
    expect(saidFirst({ type: 'start', format })).toMatchObject({ inbound: expected, outbound: expected });
  });

  it('takes a format for each direction, and the default for one that is not named', () => {
    expect(saidFirst({ type: 'start', format: { in: L16_16K, out: { codec: 'pcma' } } })).toMatchObject({
      inbound: { codec: 'l16', sampleRateHz: 16000 },
      outbound: { codec: 'pcma' },
    });
    expect(saidFirst({ type: 'start', format: { out: L16_16K } })).toMatchObject({
      inbound: { codec: 'pcmu' },
      outbound: { codec: 'l16' },
    });
  });

  it.each([
    { codec: 'g722', rate: 48000 },
    { codec: 'pcmu', rate: 16000 },
    { codec: 'l16', rate: 44100 },
    { codec: 'l16', rate: 'fast' },
    { in: { codec: 'gsm' } },
    { out: { codec: 'l16', rate: -8000 } },
    { codec: 'gsm' },
    { codec: 'opus', rate: 44100 },
  ])('refuses the format %j', (format) => {
    expect(saidFirst({ type: 'start', format })).toMatchObject(refused('unsupported_format'));
  });

  it.each([
    { format: 'pcmu' },
    { format: { in: 'pcmu' } },
    { format: { codec: 'l16', endian: 'middle' } },
    { rtp: 'perhaps' },
    { events: 7 },
    { gate: 'open' },
    { from: '' },
    { from: {} },
    { to: 'x'.repeat(257) },
    { parameters: [] },
    { parameters: { a: [] } },
  ])('refuses the value in %j', (wish) => {
    expect(saidFirst({ type: 'start', ...wish })).toMatchObject(refused('invalid_argument'));
  });

  it.each([2, '2', 'one', {}, 1.5])('refuses version %j', (version) => {
    expect(saidFirst({ type: 'start', version })).toMatchObject(refused('unsupported_version'));
  });

  it('takes flags as texts, and the gate of speech recognisers', () => {
    const start = { type: 'start', version: '1', rtp: 'false', events: 'true', gate: 'speech' };
    expect(saidFirst(start)).toMatchObject({ speechOnly: true, wantsEvents: true });
  });

  it('gathers the numbers and the parameters in one place', () => {
    const start = {
      type: 'start',
      from: '+1',
      to: 15550199,
      parameters: { a: 1, b: true, c: null, from: 'x' },
    };
    expect(saidFirst(start)).toMatchObject({
      parameters: { from: '+1', to: '15550199', a: '1', b: 'true' },
    });
  });
});

describe('reading resume', () => {
  it('hands the token on, with what the client says again of its audio', () => {
    const resume = { type: 'resume', token: 'eyJ2IjoxfQ.c2ln', format: L16_16K, events: true };
    expect(saidFirst(resume)).toMatchObject({
      type: 'resume',
      token: 'eyJ2IjoxfQ.c2ln',
      started: { type: 'started', inbound: { codec: 'l16', sampleRateHz: 16000 }, wantsEvents: true },
    });
  });

  it('opens the line for audio like a start', () => {
    const line = openLine(nativeDialect);
    line.text({ type: 'resume', token: 't' });
    expect(line.say({ bytes: rampFrame(), isBinary: true })).toBe(AUDIO);
    expect(line.text({ type: 'start' })).toMatchObject(refused('protocol_violation'));
  });

  it.each([undefined, null, '', 7, {}, 'x'.repeat(4_097)])('refuses the token %j', (token) => {
    expect(saidFirst({ type: 'resume', token })).toMatchObject(refused('invalid_argument'));
  });
});

describe('reading audio', () => {
  it('takes pieces of any length that hold whole samples', () => {
    const line = openStarted({ format: { codec: 'l16' } });
    for (const bytes of [2, 320, 322, 4_000]) {
      expect(line.say({ bytes: rampFrame(1, bytes), isBinary: true })).toBe(AUDIO);
      expect(payloadOf(line.inbound).equals(rampFrame(1, bytes))).toBe(true);
      expect([line.inbound.sequence, line.inbound.timestampMs]).toEqual([-1, -1]);
    }
  });

  it('refuses half a sample, ignores silence of no bytes', () => {
    const half = { bytes: rampFrame(0, 321), isBinary: true };
    expect(openStarted({ format: { codec: 'l16' } }).say(half)).toMatchObject(refused('protocol_violation'));
    expect(openStarted().say(half)).toBe(AUDIO);
    expect(openStarted().say({ bytes: new Uint8Array(0), isBinary: true })).toBe(IGNORED);
  });

  it('refuses audio before the start', () => {
    const early = openLine(nativeDialect).say({ bytes: rampFrame(), isBinary: true });
    expect(early).toMatchObject(refused('protocol_violation'));
  });
});

describe('reading the words between', () => {
  it.each([
    [
      { type: 'mark', name: 'm' },
      { type: 'command', id: null, name: 'mark', args: { name: 'm' } },
    ],
    [
      { type: 'mark_played', name: 7 },
      { type: 'mark_played', name: '7' },
    ],
    [{ type: 'clear' }, { type: 'command', id: null, name: 'clear', args: {} }],
    [
      { type: 'dtmf', digit: 5, duration_ms: '120' },
      { type: 'dtmf', digit: '5', durationMs: 120 },
    ],
    [
      { type: 'command', id: 4, name: 'hang_up' },
      { type: 'command', id: '4', name: 'hang_up', args: {} },
    ],
    [
      { type: 'command', name: 'play', args: { url: 'x' } },
      { type: 'command', id: null, name: 'play', args: { url: 'x' } },
    ],
    [
      { type: 'ping', id: 'p' },
      { type: 'ping', id: 'p' },
    ],
    [{ type: 'ping' }, { type: 'ping', id: null }],
    [
      { type: 'bye', reason: 7 },
      { type: 'hung_up', reason: 'peer' },
    ],
  ])('understands %j', (said, expected) => expect(openStarted().text(said)).toEqual(expected));

  it.each([
    { type: 'mark' },
    { type: 'mark', name: '' },
    { type: 'mark_played', name: 'x'.repeat(257) },
    { type: 'mark_played', name: 'a\0b' },
    { type: 'dtmf', digit: '55' },
    { type: 'dtmf', digit: '5', duration_ms: -1 },
    { type: 'dtmf', digit: '5', duration_ms: 60_001 },
    { type: 'dtmf', digit: '5', duration_ms: 'long' },
    { type: 'command' },
    { type: 'command', name: 'Hang Up' },
    { type: 'command', name: 'x'.repeat(65) },
    { type: 'command', name: 'hang_up', args: [] },
    { type: 'command', name: 'hang_up', id: {} },
    { type: 'ping', id: '' },
  ])('refuses %j', (said) => expect(openStarted().text(said)).toMatchObject(refused('invalid_argument')));

  it('takes a hang-up before the start, and refuses every other word of a leg', () => {
    expect(saidFirst({ type: 'bye' })).toEqual({ type: 'hung_up', reason: 'peer' });
    for (const type of ['mark', 'mark_played', 'clear', 'dtmf', 'command', 'ping']) {
      const said = { type, name: 'm', digit: '5' };
      expect(saidFirst(said), `first ${type}`).toMatchObject(refused('protocol_violation'));
    }
  });
});
