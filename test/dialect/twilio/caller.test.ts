import { describe, expect, it } from 'vitest';
import { twilioDialect } from '../../../src/dialect/twilio/dialect.ts';
import { CALLER_OPTIONS, openInbound, rampFrame, saidBy, textBytes } from '../wire.ts';

const { streamId, callId } = CALLER_OPTIONS;

function openCaller() {
  return twilioDialect.openCaller(CALLER_OPTIONS);
}

describe('calling as Twilio', () => {
  it('says connected and start as Twilio’s pages do', () => {
    const [connected, start] = openCaller().hello().map(saidBy);
    expect(connected).toEqual({ event: 'connected', protocol: 'Call', version: '1.0.0' });
    expect(start).toEqual({
      event: 'start',
      sequenceNumber: '1',
      start: {
        accountSid: 'AC00000000000000000000000000000000',
        streamSid: streamId,
        callSid: callId,
        tracks: ['inbound'],
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
        customParameters: { lead_id: '884', from: '+15550100', to: '+15550199' },
      },
      streamSid: streamId,
    });
  });

  it('numbers its messages of every kind, and its audio by its place, all in texts', () => {
    const caller = openCaller();
    caller.hello();
    const payload = Buffer.from(rampFrame()).toString('base64');
    expect(saidBy(caller.audio(rampFrame(), 0))).toEqual({
      event: 'media',
      sequenceNumber: '2',
      media: { track: 'inbound', chunk: '1', timestamp: '0', payload },
      streamSid: streamId,
    });
    expect(saidBy(caller.dtmf('5')[0])).toEqual({
      event: 'dtmf',
      sequenceNumber: '3',
      streamSid: streamId,
      dtmf: { track: 'inbound_track', digit: '5' },
    });
    expect(saidBy(caller.audio(rampFrame(), 2))).toMatchObject({
      sequenceNumber: '4',
      media: { chunk: '3', timestamp: '40' },
    });
    expect(saidBy(caller.markPlayed('utt-7'))).toMatchObject({
      sequenceNumber: '5',
      mark: { name: 'utt-7' },
    });
    expect(saidBy(caller.goodbye()[0])).toEqual({
      event: 'stop',
      sequenceNumber: '6',
      streamSid: streamId,
      stop: { accountSid: 'AC00000000000000000000000000000000', callSid: callId },
    });
  });

  it('stays right whenever one of its numbers grows by a digit', () => {
    const caller = openCaller();
    caller.hello();
    const indexes = [0, 4, 5, 8, 9, 49, 50, 98, 99, 499, 500, 999, 5_000, 50_000, 4_320_000];
    indexes.forEach((index, i) => {
      expect(saidBy(caller.audio(rampFrame(index), index)), `index ${index}`).toEqual({
        event: 'media',
        sequenceNumber: String(i + 2),
        media: {
          track: 'inbound',
          chunk: String(index + 1),
          timestamp: String(index * 20),
          payload: Buffer.from(rampFrame(index)).toString('base64'),
        },
        streamSid: streamId,
      });
    });
  });

  it.each([
    ['another stream', { event: 'clear', streamSid: 'MZ2' }, 'protocol_violation'],
    ['a mark without a name', { event: 'mark', streamSid: streamId, mark: {} }, 'protocol_violation'],
    ['an event it does not know', { event: 'sing', streamSid: streamId }, 'protocol_violation'],
    [
      'media without base64',
      { event: 'media', streamSid: streamId, media: { payload: '*' } },
      'protocol_violation',
    ],
    ['no JSON', 'sing', 'not_json'],
  ])('refuses %s, as Twilio would', (_, said, fault) => {
    expect(openCaller().read(textBytes(said), false, openInbound())).toMatchObject({
      type: 'refusal',
      fault,
    });
  });

  it('speaks no other codec', () => {
    const format = { codec: 'l16', sampleRateHz: 16000, littleEndian: true } as const;
    expect(() => twilioDialect.openCaller({ ...CALLER_OPTIONS, format })).toThrow('PCMU at 8000 Hz only');
  });
});
