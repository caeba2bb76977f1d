import { describe, expect, it } from 'vitest';
import { readWishes, recordFileOf, type CallFlags } from '../../../src/cli/calling/wishes.ts';
import { VoiceError } from '../../../src/base/errors.ts';

const FLAGS: CallFlags = { as: 'twilio', from: '+1', to: '+2', count: 1, rate: 10 };

function mistakeIn(flags: Partial<CallFlags>): string {
  try {
    readWishes(['a.wav'], { ...FLAGS, ...flags });
  } catch (error) {
    if (error instanceof VoiceError && error.code === 'invalid_argument') return error.message;
    throw error;
  }
  return 'none';
}

describe('wishes', () => {
  it('are an echo call once through the sound where nothing is said', () => {
    expect(readWishes(['a.wav'], FLAGS)).toMatchObject({
      agentId: 'echo',
      expectsEcho: true,
      repeat: false,
      framesMax: Number.POSITIVE_INFINITY,
      offset: 0,
      impairment: null,
      format: { codec: 'pcmu', sampleRateHz: 8000 },
    });
  });

  it('take the audio the provider has, where it has none of the telephone', () => {
    const formatAs = (as: string): unknown => readWishes(['a.wav'], { ...FLAGS, as }).format;
    for (const as of ['vonage', 'infobip', 'jambonz', 'mod_audio_stream']) {
      expect(formatAs(as)).toMatchObject({ codec: 'l16', sampleRateHz: 8000 });
    }
    expect(formatAs('asterisk')).toMatchObject({ codec: 'pcmu', sampleRateHz: 8000 });
  });

  it('repeat the sound where a duration is wished for, but not before a hang-up', () => {
    expect(readWishes([], { ...FLAGS, duration: 2 })).toMatchObject({ repeat: true, framesMax: 100 });
    expect(readWishes([], { ...FLAGS, hangupAfter: 2_000 })).toMatchObject({ repeat: false, framesMax: 100 });
  });

  it('expect no echo of an agent they do not know', () => {
    const credential = 'ws://127.0.0.1/media/twilio/x';
    expect(readWishes([], { ...FLAGS, credential }).expectsEcho).toBe(false);
    expect(readWishes([], { ...FLAGS, credential, agent: 'echo' }).expectsEcho).toBe(true);
    expect(readWishes([], { ...FLAGS, agent: 'silent' }).expectsEcho).toBe(false);
  });

  it('make the line bad where its audio is numbered', () => {
    expect(readWishes([], { ...FLAGS, as: 'native', loss: 5 }).impairment).toEqual({
      lossPercent: 5,
      jitterMs: 0,
      reorderPercent: 0,
      driftPpm: 0,
    });
  });

  it.each<[Partial<CallFlags>, string]>([
    [{ as: 'sip' }, 'known are native, twilio'],
    [{ loss: 5 }, '--loss needs audio that carries sequence numbers'],
    [{ drift: 0 }, '--drift needs audio'],
    [{ codec: 'pcma' }, 'twilio has no pcma; it has PCMU/8000'],
    [{ as: 'native', codec: 'opus' }, 'no codec for OPUS/48000'],
    [{ as: 'native', sampleRate: 16_000 }, 'no pcmu at 16000 Hz'],
    [{ as: 'native', codec: 'l16', sampleRate: 44_100 }, 'no l16 at 44100 Hz'],
    [{ dtmf: '12x' }, '--dtmf takes the keys'],
    [{ duration: 1, hangupAfter: 1000 }, 'give one'],
  ])('refuse %j in one sentence', (flags, sentence) => {
    expect(mistakeIn(flags)).toContain(sentence);
  });
});

describe('the file of a recording', () => {
  it('is the one that was named, or numbered ones', () => {
    expect(recordFileOf('a.b/out.wav', 0, 1)).toBe('a.b/out.wav');
    expect(recordFileOf('a.b/out.wav', 4, 300)).toBe('a.b/out-005.wav');
    expect(recordFileOf('a.b/out', 0, 2)).toBe('a.b/out-1');
  });
});
