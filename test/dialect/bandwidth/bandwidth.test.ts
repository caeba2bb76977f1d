import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { bandwidthDialect } from '../../../src/dialect/bandwidth/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, openLine, rampFrame, saidBy, textBytes } from '../wire.ts';

/** As the pages have it. */
const METADATA = {
  accountId: '5555555',
  callId: 'c-1234abcd-0000-1111-2222-333344445555',
  streamId: 's-1234abcd-aaaa-bbbb-cccc-ddddeeeeffff',
  streamName: 's1',
  tracks: [{ name: 'inbound', mediaFormat: { encoding: 'audio/PCMU', sampleRate: 8000 } }],
};
const START = { eventType: 'start', metadata: METADATA, streamParams: { tenant: 'acme' } };
const PAYLOAD = Buffer.from(rampFrame()).toString('base64');

function openSession(options = {}) {
  const session = bandwidthDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return { session, inbound, say: (value: unknown) => session.read(textBytes(value), false, inbound) };
}

describe('reading Bandwidth', () => {
  it('tells messages apart by eventType, and takes no other word for it', () => {
    expect(openSession().say(START)).toEqual({
      type: 'started',
      providerCallId: METADATA.callId,
      providerStreamId: METADATA.streamId,
      inbound: PCMU_8K,
      outbound: PCMU_8K,
      bidirectional: true,
      parameters: { tenant: 'acme' },
      speechOnly: false,
      wantsEvents: false,
    });
    const { eventType, ...body } = START;
    expect(openSession().say({ event: eventType, ...body })).toBe(IGNORED);
  });

  it('finds audio at the top level, neither numbered nor timed', () => {
    const { say, inbound } = openSession();
    say(START);
    expect(say({ eventType: 'media', track: 'inbound', payload: PAYLOAD })).toBe(AUDIO);
    expect([inbound.payloadBytes, inbound.sequence, inbound.timestampMs]).toEqual([160, -1, -1]);
    // Newer pages number messages: of every kind, so that it says nothing of lost audio.
    expect(say({ eventType: 'media', track: 'inbound', payload: PAYLOAD, sequenceNumber: '7' })).toBe(AUDIO);
    expect(inbound.sequence).toBe(-1);
    expect(say({ eventType: 'media', track: 'outbound', payload: PAYLOAD })).toBe(IGNORED);
    expect(say({ eventType: 'media', payload: 'AA EC\n' })).toBe(AUDIO);
    expect(inbound.payloadBytes).toBe(3);
    expect(say({ eventType: 'stop', metadata: METADATA })).toEqual({ type: 'hung_up', reason: 'provider' });
  });

  it('takes the format of the inbound track among others', () => {
    const outbound = { name: 'outbound', mediaFormat: { encoding: 'audio/opus', sampleRate: 48_000 } };
    const both = { ...METADATA, tracks: [outbound, ...METADATA.tracks] };
    expect(openSession().say({ ...START, metadata: both })).toMatchObject({ inbound: PCMU_8K });
    const alaw = [{ name: 'inbound', mediaFormat: { encoding: 'audio/PCMU', sampleRate: '16000' } }];
    for (const tracks of [alaw, 'inbound', [{ name: 'inbound', mediaFormat: 'PCMU' }]]) {
      expect(openSession().say({ ...START, metadata: { ...METADATA, tracks } })).toMatchObject({
        fault: 'unsupported_format',
      });
    }
  });

  it('refuses a start without its metadata', () => {
    for (const metadata of [undefined, [], {}, { streamId: '' }]) {
      expect(openSession().say({ ...START, metadata })).toMatchObject({ fault: 'protocol_violation' });
    }
  });
});

describe('writing to Bandwidth', () => {
  it('says playAudio with a content type, and clear', () => {
    const { session, say } = openSession();
    say(START);
    expect(Buffer.from(session.writeAudio(rampFrame(0, 3))!).toString()).toBe(
      '{"eventType":"playAudio","media":{"contentType":"audio/pcmu","payload":"AAEC"}}',
    );
    expect(saidBy(session.writeClear())).toEqual({ eventType: 'clear' });
  });

  it.each([8000, 16_000, 24_000])('plays samples at %i Hz beside mu-law from the call', (rate) => {
    const { session, say } = openSession({ outbound_audio: `pcm_${rate}` });
    expect(say(START)).toMatchObject({ inbound: PCMU_8K, outbound: l16(rate) });
    expect(JSON.parse(Buffer.from(session.writeAudio(rampFrame(0, 3))!).toString())).toEqual({
      eventType: 'playAudio',
      media: {
        contentType: `audio/pcm;rate=${rate};channels=1;bit-depth=16;endian=little;encoding=signed`,
        payload: 'AAEC',
      },
    });
  });

  it('has neither marks nor digits', () => {
    const { session, say } = openSession();
    say(START);
    expect([session.writeMark('m'), session.writeDtmf('5')]).toEqual([undefined, undefined]);
    expect(bandwidthDialect.capabilities).toMatchObject({ marks: false, dtmfIn: false, dtmfOut: false });
  });

  it('sends nothing on a stream of mode unidirectional', () => {
    const { session, say } = openSession({ listen_only: 'yes' });
    expect(say(START)).toMatchObject({ bidirectional: false });
    expect(session.writeClear()).toBeUndefined();
  });
});

describe('calling as Bandwidth', () => {
  it('says what its pages say', () => {
    const { callId, streamId } = METADATA;
    const { caller } = openLine(bandwidthDialect, {
      callId,
      streamId,
      parameters: { tenant: 'acme' },
      from: null,
      to: null,
    });
    expect(caller.hello().map(saidBy)).toEqual([START]);
    expect(saidBy(caller.audio(rampFrame(), 3))).toEqual({
      eventType: 'media',
      track: 'inbound',
      payload: PAYLOAD,
    });
    expect(caller.dtmf('5')).toEqual([]);
    expect(caller.markPlayed('m')).toBeUndefined();
    expect(caller.goodbye().map(saidBy)).toEqual([{ eventType: 'stop', metadata: METADATA }]);
    const mark = textBytes({ eventType: 'mark', mark: { name: 'm' } });
    expect(caller.read(mark, false, openInbound())).toMatchObject({ fault: 'protocol_violation' });
  });
});
