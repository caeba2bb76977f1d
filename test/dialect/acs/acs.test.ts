import { describe, expect, it } from 'vitest';
import { acsDialect } from '../../../src/dialect/acs/dialect.ts';
import { AUDIO, IGNORED } from '../../../src/dialect/dialect.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import {
  NO_UPGRADE,
  openInbound,
  openLine,
  openStartedLine,
  payloadOf,
  rampFrame,
  saidBy,
  textBytes,
} from '../wire.ts';

/** As Azure's page shows them. */
const METADATA = {
  kind: 'AudioMetadata',
  audioMetadata: {
    subscriptionId: '89e8cb59-b991-48b0-b154-1db84f16a077',
    encoding: 'PCM',
    sampleRate: 16_000,
    channels: 1,
    length: 640,
  },
};
const DATA = Buffer.from(rampFrame(4, 640)).toString('base64');
const AUDIO_DATA = {
  kind: 'AudioData',
  audioData: {
    timestamp: '2024-11-15T19:16:12.925Z',
    participantRawID: '8:acs:3d20e1de',
    data: DATA,
    silent: false,
  },
};
const HEADERS = { 'x-ms-call-connection-id': 'conn-1', 'x-ms-call-correlation-id': 'corr-1' };

function openSession(options: Record<string, string> = {}) {
  const session = acsDialect.openSession({ nowMs: 0, upgrade: { ...NO_UPGRADE, headers: HEADERS }, options });
  const inbound = openInbound();
  const say = (value: unknown) => session.read(textBytes(value), false, inbound);
  return { session, inbound, say };
}

function openStarted(options: Record<string, string> = {}) {
  const line = openSession(options);
  line.say(METADATA);
  return line;
}

function spokenBy(participantRawID: string | undefined, key = 'participantRawID'): object {
  const { timestamp, data, silent } = AUDIO_DATA.audioData;
  return { kind: 'AudioData', audioData: { timestamp, [key]: participantRawID, data, silent } };
}

/** The same value with its keys and its kind spelled otherwise. */
function spelled(value: unknown, spell: (text: string) => string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      spell(key),
      key === 'kind' ? spell(String(inner)) : spelled(inner, spell),
    ]),
  );
}

const SPELLERS: readonly (readonly [string, (text: string) => string])[] = [
  ['as Azure does', (text) => text],
  ['with capitals', (text) => text.charAt(0).toUpperCase() + text.slice(1)],
  ['in small letters', (text) => text.toLowerCase()],
  ['in capitals', (text) => text.toUpperCase()],
  ['with a small first letter', (text) => text.charAt(0).toLowerCase() + text.slice(1)],
];

describe('reading Azure', () => {
  it('starts with the metadata, and the ids of the upgrade', () => {
    expect(openSession().say(METADATA)).toEqual({
      type: 'started',
      providerCallId: 'conn-1',
      providerStreamId: 'corr-1',
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { subscription_id: METADATA.audioMetadata.subscriptionId },
      speechOnly: false,
      wantsEvents: false,
    });
    const at24 = { ...METADATA, audioMetadata: { ...METADATA.audioMetadata, sampleRate: 24_000 } };
    expect(openSession().say(at24)).toMatchObject({ inbound: l16(24_000) });
    const stereo = { ...METADATA, audioMetadata: { ...METADATA.audioMetadata, channels: 2 } };
    expect(openSession().say(stereo)).toMatchObject({ fault: 'unsupported_format' });
  });

  it.each(SPELLERS)('reads keys and kinds spelled %s', (_, spell) => {
    const { say, inbound } = openSession();
    expect(say(spelled(METADATA, spell))).toMatchObject({ type: 'started', inbound: l16(16_000) });
    expect(say(spelled(AUDIO_DATA, spell))).toBe(AUDIO);
    expect(payloadOf(inbound).equals(rampFrame(4, 640))).toBe(true);
    expect(say(spelled({ kind: 'DtmfData', dtmfData: { data: '3' } }, spell))).toMatchObject({ digit: '3' });
  });

  it('hears digits, spelled out as Call Automation does', () => {
    const { say } = openStarted();
    const digitOf = (data: unknown): unknown => say({ kind: 'DtmfData', dtmfData: { data } });
    for (const [data, digit] of [
      ['3', '3'],
      [5, '5'],
      ['#', '#'],
      ['pound', '#'],
      ['asterisk', '*'],
      ['nine', '9'],
      ['a', 'A'],
    ]) {
      expect(digitOf(data)).toEqual({ type: 'dtmf', digit, durationMs: null });
    }
    for (const data of ['', 'ten', '33', null, undefined]) {
      expect(digitOf(data)).toMatchObject({ fault: 'protocol_violation' });
    }
  });

  it('hears silence as audio, and makes nothing of silence without samples', () => {
    const { say } = openStarted();
    expect(say({ ...AUDIO_DATA, audioData: { ...AUDIO_DATA.audioData, silent: true } })).toBe(AUDIO);
    expect(say({ kind: 'AudioData', audioData: { timestamp: 'x', silent: true } })).toBe(IGNORED);
    expect(say({ kind: 'AudioData', audioData: { data: '', silent: true } })).toBe(IGNORED);
  });
});

describe('an unmixed stream of Azure', () => {
  it('is heard of one participant, whoever speaks first', () => {
    const { say } = openStarted();
    expect(say(spokenBy('8:acs:agent'))).toBe(AUDIO);
    expect(say(spokenBy('4:+15550100'))).toBe(IGNORED);
    expect(say(spokenBy('8:acs:agent'))).toBe(AUDIO);
    expect(say(spokenBy('8:acs:agent2'))).toBe(IGNORED);
    expect(say(spelled(spokenBy('4:+15550100'), (text) => text.toUpperCase()))).toBe(IGNORED);
    expect(say(spelled(spokenBy('8:acs:agent'), (text) => text.toUpperCase()))).toBe(AUDIO);
  });

  it('is heard of the telephone where that is wanted', () => {
    const { say } = openStarted({ participant: 'phone' });
    expect(say(spokenBy('8:acs:agent'))).toBe(IGNORED);
    expect(say(spokenBy('4:+15550100'))).toBe(AUDIO);
    expect(say(spokenBy('4:+15550199'))).toBe(IGNORED);
    expect(say(spokenBy('4:+15550100'))).toBe(AUDIO);
  });

  it('is not made out of a mixed one, which names nobody', () => {
    const { say } = openStarted({ participant: 'phone' });
    for (const nobody of [undefined, '']) expect(say(spokenBy(nobody))).toBe(AUDIO);
    expect(say(spokenBy('8:acs:agent', 'participantRawIDs'))).toBe(AUDIO);
  });
});

describe('speaking to Azure', () => {
  it.each([
    [
      'pascal',
      { Kind: 'AudioData', AudioData: { Data: DATA }, StopAudio: null },
      { Kind: 'StopAudio', AudioData: null, StopAudio: {} },
    ],
    [
      'camel',
      { kind: 'AudioData', audioData: { data: DATA }, stopAudio: null },
      { kind: 'StopAudio', audioData: null, stopAudio: {} },
    ],
    [
      'javascript',
      {
        kind: 'audioData',
        audioData: { data: DATA, timestamp: null, participant: null, isSilent: false },
        stopAudio: null,
      },
      { kind: 'stopAudio', audioData: null, stopAudio: {} },
    ],
  ])('spells as it is told: %s', (casing, audio, stop) => {
    const { session } = openStarted({ casing });
    expect(JSON.parse(Buffer.from(session.writeAudio(rampFrame(4, 640))!).toString())).toEqual(audio);
    expect(saidBy(session.writeClear())).toEqual(stop);
    for (const expecting of ['pascal', 'camel', 'javascript']) {
      const { caller, inbound } = openStartedLine(acsDialect, { options: { casing: expecting } });
      expect(caller.read(textBytes(audio), false, inbound)).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(4, 640))).toBe(true);
      expect(caller.read(textBytes(stop), false, inbound)).toEqual({ type: 'clear' });
    }
  });

  it('spells as Azure’s pages do where it is told nothing', () => {
    expect(saidBy(openStarted().session.writeClear())).toHaveProperty('StopAudio');
  });

  it('says nothing where bidirectional streaming is not enabled', () => {
    const { session } = openStarted({ listen_only: 'yes' });
    expect(session.writeClear()).toBeUndefined();
    expect(() => session.writeAudio(rampFrame(4, 640))).toThrow('listens to nothing');
  });
});

describe('a caller like Azure', () => {
  it('speaks two rates, and names itself in its headers', () => {
    expect(openLine(acsDialect).caller.upgradeHeaders).toHaveProperty('x-ms-call-connection-id');
    expect(() => openLine(acsDialect, { format: PCMU_8K })).toThrow('16000');
    const { caller, inbound } = openLine(acsDialect);
    expect(caller.read(textBytes({ kind: 'Transcription' }), false, inbound).type).toBe('refusal');
  });
});
