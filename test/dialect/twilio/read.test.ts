import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { twilioDialect } from '../../../src/dialect/twilio/dialect.ts';
import { openLine, payloadOf, rampFrame, type Line } from '../wire.ts';

const STREAM_SID = 'MZ0123456789abcdef0123456789abcdef';
const START_BODY = {
  accountSid: 'AC0123456789abcdef0123456789abcdef',
  streamSid: STREAM_SID,
  callSid: 'CA0123456789abcdef0123456789abcdef',
  tracks: ['inbound'],
  mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  customParameters: { tenant: 'acme', token: 't-42' },
};
const REFUSED = { type: 'refusal', fault: 'protocol_violation' };

function start(changes: object = {}): object {
  return { event: 'start', sequenceNumber: '1', start: { ...START_BODY, ...changes }, streamSid: STREAM_SID };
}

function openStarted(changes: object = {}): Line {
  const line = openLine(twilioDialect);
  expect(line.text(start(changes)).type).toBe('started');
  return line;
}

function media(changes: object): object {
  const payload = Buffer.from(rampFrame()).toString('base64');
  return { event: 'media', media: { track: 'inbound', chunk: '1', timestamp: '0', payload, ...changes } };
}

describe('reading Twilio’s start', () => {
  it('finds the ids, the format and the parameters', () => {
    const line = openLine(twilioDialect);
    expect(line.text({ event: 'connected', protocol: 'Call', version: '1.0.0' })).toBe(IGNORED);
    expect(line.text(start())).toEqual({
      type: 'started',
      providerCallId: 'CA0123456789abcdef0123456789abcdef',
      providerStreamId: STREAM_SID,
      inbound: { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true },
      outbound: { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true },
      bidirectional: true,
      parameters: { tenant: 'acme', token: 't-42' },
      speechOnly: false,
      wantsEvents: false,
    });
  });

  it.each([
    ['without connected before it', start()],
    ['with its stream named outside only', start({ streamSid: undefined })],
    ['without a format', start({ mediaFormat: undefined })],
    [
      'with a format of texts',
      start({ mediaFormat: { encoding: 'audio/x-MULAW', sampleRate: '8000', channels: '1' } }),
    ],
    ['without parameters', start({ customParameters: undefined })],
  ])('takes it %s', (_, message) => {
    expect(openLine(twilioDialect).text(message)).toMatchObject({
      type: 'started',
      providerStreamId: STREAM_SID,
    });
  });

  it.each([
    ['another encoding', { encoding: 'audio/x-l16', sampleRate: 8000, channels: 1 }],
    ['another rate', { encoding: 'audio/x-mulaw', sampleRate: 16000, channels: 1 }],
    ['two channels', { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 2 }],
    ['no object', 'audio/x-mulaw'],
  ])('refuses a format of %s', (_, mediaFormat) => {
    const result = openLine(twilioDialect).text(start({ mediaFormat }));
    expect(result).toMatchObject({ type: 'refusal', fault: 'unsupported_format' });
  });

  it.each([
    ['a start that is no object', { event: 'start', start: [], streamSid: STREAM_SID }],
    ['a start without any stream', { event: 'start', start: {} }],
    ['a stream without a name', { event: 'start', start: { streamSid: '' } }],
    ['a name without an end', { event: 'start', start: { streamSid: 'M'.repeat(257) } }],
    ['parameters that are no object', start({ customParameters: ['a'] })],
    ['a parameter that is an object', start({ customParameters: { a: {} } })],
  ])('refuses %s', (_, message) => {
    expect(openLine(twilioDialect).text(message)).toMatchObject(REFUSED);
  });

  it('refuses connected anywhere but first', () => {
    const connected = { event: 'connected', protocol: 'Call' };
    const line = openLine(twilioDialect);
    line.text(connected);
    expect(line.text(connected)).toMatchObject(REFUSED);
    expect(openStarted().text(connected)).toMatchObject(REFUSED);
  });
});

describe('a stream that only listens', () => {
  it.each([[['inbound', 'outbound']], [['outbound']], [['both_tracks', 'outbound_track']]])(
    'is known by its tracks %j and is told nothing',
    (tracks) => {
      const line = openLine(twilioDialect);
      expect(line.text(start({ tracks }))).toMatchObject({ type: 'started', bidirectional: false });
      expect(line.session.writeMark('m')).toBeUndefined();
      expect(line.session.writeClear()).toBeUndefined();
      expect(() => line.session.writeAudio(rampFrame())).toThrow('listens to nothing');
    },
  );
});

describe('reading Twilio’s media', () => {
  it('hears the inbound track and a stream without tracks, and nothing else', () => {
    const line = openStarted({ tracks: ['inbound', 'outbound'] });
    expect(line.text(media({ track: 'inbound' }))).toBe(AUDIO);
    expect(line.text(media({ track: undefined }))).toBe(AUDIO);
    expect(line.text(media({ track: null }))).toBe(AUDIO);
    expect(line.text(media({ track: 'outbound' }))).toBe(IGNORED);
    expect(line.text(media({ track: 7 }))).toBe(IGNORED);
  });

  it.each([1, 7, 159, 161, 320, 4_000])('takes a payload of %i bytes', (bytes) => {
    const line = openStarted();
    const payload = Buffer.from(rampFrame(3, bytes));
    expect(line.text(media({ payload: payload.toString('base64') }))).toBe(AUDIO);
    expect(payloadOf(line.inbound)).toEqual(payload);
  });

  it('forgives escapes, blanks and missing padding in base64', () => {
    const line = openStarted();
    for (const text of ['"\\/\\/\\/\\/"', '" \\/\\/\\n\\/\\/ "', '"////"']) {
      expect(line.text(`{"event":"media","media":{"payload":${text}}}`), `payload ${text}`).toBe(AUDIO);
      expect(payloadOf(line.inbound)).toEqual(Buffer.from([0xff, 0xff, 0xff]));
    }
    expect(line.text(media({ payload: 'QUI' }))).toBe(AUDIO);
    expect(payloadOf(line.inbound).toString()).toBe('AB');
  });

  it.each(['*', 'QUJ-', 'QUJ_', 'QUJD=', 'A', 'QQ==QQ==', 'QUJ\u0141', 'é', 'QUJD\u0000'])(
    'refuses %j, which is no base64',
    (payload) => expect(openStarted().text(media({ payload }))).toMatchObject(REFUSED),
  );

  it.each([{ payload: undefined }, { payload: 5 }, { payload: null }, { payload: ['QUJD'] }])(
    'refuses a payload that is no text: %j',
    (changes) => expect(openStarted().text(media(changes))).toMatchObject(REFUSED),
  );

  it('refuses media that is no object, and ignores media without sound', () => {
    expect(openStarted().text({ event: 'media', media: 'QUJD' })).toMatchObject(REFUSED);
    expect(openStarted().text(media({ payload: '' }))).toBe(IGNORED);
  });

  it.each([
    ['0', 0],
    ['20', 20],
    [20, 20],
    ['2147483648', 2_147_483_648],
    ['20.7', 20],
    ['-20', -1],
    ['soon', -1],
    [undefined, -1],
    ['99999999999999999999', -1],
  ])('reads the timestamp %j as %d ms', (timestamp, timestampMs) => {
    const line = openStarted();
    line.inbound.timestampMs = 777;
    expect(line.text(media({ timestamp }))).toBe(AUDIO);
    expect(line.inbound.timestampMs).toBe(timestampMs);
  });

  it('takes no binary message', () => {
    const line = openStarted();
    const result = line.session.read(rampFrame(), true, line.inbound);
    expect(result).toMatchObject({ type: 'refusal', fault: 'unsupported_format' });
  });
});

describe('reading the rest of Twilio', () => {
  it('hears digits of the caller only', () => {
    const line = openStarted();
    expect(line.text({ event: 'dtmf', dtmf: { track: 'inbound_track', digit: '5' } })).toMatchObject({
      digit: '5',
    });
    expect(line.text({ event: 'dtmf', dtmf: { digit: 5 } })).toMatchObject({ digit: '5' });
    expect(line.text({ event: 'dtmf', dtmf: { digit: 'a' } })).toMatchObject({ digit: 'A' });
    expect(line.text({ event: 'dtmf', dtmf: { track: 'outbound_track', digit: '5' } })).toBe(IGNORED);
    expect(line.text({ event: 'dtmf' })).toMatchObject(REFUSED);
  });

  it('refuses a mark without a name', () => {
    for (const mark of [undefined, 'm', {}, { name: '' }, { name: null }, { name: 'm'.repeat(257) }]) {
      expect(openStarted().text({ event: 'mark', mark })).toMatchObject(REFUSED);
    }
  });

  it('refuses a stop before the start and a start after the stop', () => {
    expect(openLine(twilioDialect).text({ event: 'stop' })).toMatchObject(REFUSED);
    const line = openStarted();
    expect(line.text({ event: 'stop', stop: {} })).toEqual({ type: 'hung_up', reason: 'provider' });
    expect(line.text(start())).toMatchObject(REFUSED);
  });
});
