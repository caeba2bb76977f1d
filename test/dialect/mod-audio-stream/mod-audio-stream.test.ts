import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { modAudioStreamDialect } from '../../../src/dialect/mod-audio-stream/dialect.ts';
import { l16 } from '../../../src/media/format.ts';
import { NO_UPGRADE, openInbound, payloadOf, rampFrame, textBytes } from '../wire.ts';

function openSession(options = {}) {
  const session = modAudioStreamDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return {
    session,
    inbound,
    say: (value: unknown) => session.read(textBytes(value), false, inbound),
    sound: (bytes: Uint8Array) => session.read(bytes, true, inbound),
  };
}

describe('mod_audio_stream', () => {
  it('starts with metadata that is an object, which may tell rate and channels', () => {
    const { say, sound, inbound } = openSession();
    expect(say({ sampleRate: 16_000, channels: 2, uuid: 'u-1', tenant: 'acme' })).toMatchObject({
      type: 'started',
      providerCallId: 'u-1',
      inbound: { ...l16(16_000), channels: 2 },
      outbound: l16(16_000),
      parameters: { uuid: 'u-1', tenant: 'acme' },
    });
    expect(sound(rampFrame(0, 1_280))).toBe(AUDIO);
    expect(payloadOf(inbound)).toHaveLength(1_280);
    expect(sound(rampFrame(0, 1_282))).toMatchObject({ fault: 'protocol_violation' });
  });

  it('starts with the first audio where no metadata was given', () => {
    const { sound } = openSession({ sample_rate: '16000' });
    expect(sound(rampFrame(0, 640))).toMatchObject({ type: 'started', inbound: l16(16_000), parameters: {} });
    expect(sound(rampFrame(0, 640))).toBe(AUDIO);
  });

  it('keeps metadata that is any text, and starts with the audio behind it', () => {
    const { say, sound } = openSession();
    expect(say('campaign spring')).toBe(IGNORED);
    expect(sound(rampFrame(0, 320))).toMatchObject({
      inbound: l16(8000),
      parameters: { metadata: 'campaign spring' },
    });
    expect(say('sent later')).toBe(IGNORED);
  });

  it('takes several buffers at once, as STREAM_BUFFER_SIZE makes them', () => {
    const { say, sound, inbound } = openSession();
    say({ tenant: 'acme' });
    expect(sound(rampFrame(0, 3_200))).toBe(AUDIO);
    expect(payloadOf(inbound)).toHaveLength(3_200);
  });

  it('sends 200 ms as JSON, for each message is a file in the community build', () => {
    const { session, say } = openSession();
    say({ sampleRate: 16_000 });
    expect(session.audioIsBinary).toBe(false);
    const messages = Array.from({ length: 10 }, (_, index) => session.writeAudio(rampFrame(index, 640)));
    expect(messages.slice(0, 9)).toEqual(Array.from({ length: 9 }));
    const { type, data } = JSON.parse(Buffer.from(messages[9]!).toString()) as {
      type: string;
      data: Record<string, unknown>;
    };
    expect([type, data['audioDataType'], data['sampleRate']]).toEqual(['streamAudio', 'raw', 16_000]);
    expect(Buffer.from(String(data['audioData']), 'base64')).toHaveLength(6_400);
  });

  it('sends frames as they are to the commercial build', () => {
    const { session, say } = openSession({ playback: 'binary' });
    say({ sampleRate: 16_000 });
    expect(session.audioIsBinary).toBe(true);
    expect(Buffer.from(session.writeAudio(rampFrame(4, 640))!).equals(rampFrame(4, 640))).toBe(true);
  });

  it('knows neither marks nor clears nor digits', () => {
    const { marks, clear, dtmfIn, inFlightMsMax } = modAudioStreamDialect.capabilities;
    expect([marks, clear, dtmfIn]).toEqual([false, false, false]);
    expect(inFlightMsMax).toBeLessThanOrEqual(400);
  });
});
