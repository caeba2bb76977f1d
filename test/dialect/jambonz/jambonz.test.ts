import { describe, expect, it } from 'vitest';
import { AUDIO, IGNORED, type DialectSession, type WireMessage } from '../../../src/dialect/dialect.ts';
import { jambonzDialect } from '../../../src/dialect/jambonz/dialect.ts';
import { l16 } from '../../../src/media/format.ts';
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
import { JambonzPlayer } from './player.ts';

/** As it was seen on the wire. */
const METADATA = {
  sampleRate: 16_000,
  mixType: 'mono',
  callSid: 'b7a0c1de-1111-4222-8333-444455556666',
  direction: 'inbound',
  from: '+15550100123',
  to: '+15550199456',
  callId: 'sip-1a2b3c@10.0.0.5',
  sipStatus: 200,
  callStatus: 'in-progress',
  callerId: '+15550100123',
  accountSid: '0c5d0000-0000-4000-8000-000000000000',
  originatingSipIp: '203.0.113.9',
  tenant: 'acme',
};

function openSession(options = {}) {
  const session = jambonzDialect.openSession({ nowMs: 0, upgrade: NO_UPGRADE, options });
  const inbound = openInbound();
  return {
    session,
    inbound,
    say: (value: unknown) => session.read(textBytes(value), false, inbound),
    sound: (bytes: Uint8Array) => session.read(bytes, true, inbound),
  };
}

function openStarted(options = {}, metadata: object = METADATA) {
  const opened = openSession(options);
  expect(opened.say(metadata)).toMatchObject({ type: 'started' });
  return opened;
}

/** Sends samples as the leg would, and the tail behind them. */
function hear(player: JambonzPlayer, session: DialectSession, samples: Int16Array): void {
  player.binary(session.writeAudio(new Uint8Array(samples.buffer))!);
}

function tell(player: JambonzPlayer, message: WireMessage | undefined): void {
  if (message!.isBinary) player.binary(message!.bytes);
  else player.text(message!.bytes);
}

describe('reading jambonz', () => {
  it('begins with the metadata of the call and of the verb in one', () => {
    expect(openSession().say(METADATA)).toMatchObject({
      type: 'started',
      providerCallId: 'b7a0c1de-1111-4222-8333-444455556666',
      inbound: l16(16_000),
      outbound: l16(16_000),
      bidirectional: true,
      parameters: { from: '+15550100123', to: '+15550199456', direction: 'inbound', tenant: 'acme' },
    });
  });

  it('hears two channels where they are mixed as stereo, and speaks one', () => {
    const stereo = { ...METADATA, mixType: 'stereo' };
    expect(openSession().say(stereo)).toMatchObject({
      inbound: { ...l16(16_000), channels: 2 },
      outbound: l16(16_000),
    });
    expect(openSession().say({ ...METADATA, mixType: 'mixed' })).toMatchObject({ inbound: l16(16_000) });
  });

  it('speaks at the rate of the verb where that is another', () => {
    expect(openSession({ outbound_sample_rate: '8000' }).say(METADATA)).toMatchObject({
      outbound: l16(8000),
    });
  });

  it('refuses 64 kHz, no rate at all, and audio before it knows', () => {
    for (const sampleRate of [64_000, 11_025, undefined, 'fast']) {
      expect(openSession().say({ ...METADATA, sampleRate })).toMatchObject({ fault: 'unsupported_format' });
    }
    expect(openSession().sound(rampFrame(0, 640))).toMatchObject({ fault: 'protocol_violation' });
  });

  it('takes whatever has accumulated, of any even size, and an odd tail with its other half', () => {
    const { sound, inbound } = openStarted();
    for (const bytes of [2, 640, 1_922, 12_800, 321, 319]) {
      expect(sound(rampFrame(bytes, bytes))).toBe(AUDIO);
      expect(payloadOf(inbound).equals(rampFrame(bytes, bytes)), `${bytes} bytes`).toBe(true);
    }
  });

  it('reads the duration of a digit in timestamp units of 8 kHz', () => {
    const { say } = openStarted();
    expect(say({ event: 'dtmf', dtmf: '5', duration: '1600' })).toEqual({
      type: 'dtmf',
      digit: '5',
      durationMs: 200,
    });
    expect(say({ event: 'dtmf', dtmf: 5 })).toMatchObject({ digit: '5', durationMs: null });
  });

  it('takes a zero-length binary message as the graceful end', () => {
    const { sound, say } = openStarted();
    expect(sound(new Uint8Array(0))).toEqual({ type: 'hung_up', reason: 'provider' });
    expect(sound(new Uint8Array(0))).toBe(IGNORED);
    expect(say({ event: 'dtmf', dtmf: '5' })).toBe(IGNORED);
  });

  it('ignores playDone and what else it says', () => {
    const { say } = openStarted();
    expect(say({ type: 'playDone', data: { id: 'utt-7' } })).toBe(IGNORED);
    expect(say({ type: 'newly_added' })).toBe(IGNORED);
  });
});

describe('writing to jambonz', () => {
  it('names marks by short ids, for jambonz writes names into its JSON as they are', () => {
    const { session, say } = openStarted();
    expect(saidBy(session.writeMark('said "so"'))).toEqual({ type: 'mark', data: { name: 'm1' } });
    const played = { type: 'mark', data: { name: 'm1', event: 'playout' } };
    expect(say(played)).toEqual({ type: 'mark_played', name: 'said "so"' });
    expect(say(played)).toBe(IGNORED);
  });

  it('gives marks that were cleared back, as jambonz reports them', () => {
    const { session, say } = openStarted();
    session.writeMark('utt-7');
    expect(saidBy(session.writeClear())).toEqual({ type: 'killAudio' });
    const cleared = { type: 'mark', data: { name: 'm1', event: 'cleared' } };
    expect(say(cleared)).toEqual({ type: 'mark_played', name: 'utt-7' });
    expect(jambonzDialect.capabilities).toMatchObject({ marksOnClear: 'returned', marksMax: 30 });
  });

  it('never sends the sample −1, which is a marker there', () => {
    const { session } = openStarted();
    const samples = Int16Array.from({ length: 320 }, (_, i) => (i % 3) - 2);
    const sent = session.writeAudio(new Uint8Array(samples.buffer))!;
    const heard = new Int16Array(Uint8Array.from(sent).buffer);
    expect(heard).toEqual(samples.map((sample) => (sample === -1 ? 0 : sample)));
    expect(samples.includes(-1)).toBe(true);
  });

  it('ends with disconnect', () => {
    expect(saidBy(openStarted().session.writeEnd('hangup'))).toEqual({ type: 'disconnect' });
  });

  it('sends files of 400 ms where the verb does not stream, and tells marks by played time', () => {
    const { session } = openStarted({ playback: 'play_audio' });
    expect(session.audioIsBinary).toBe(false);
    const messages = Array.from({ length: 40 }, (_, index) => session.writeAudio(rampFrame(index, 640)));
    expect(messages.map((message) => message !== undefined).filter(Boolean)).toHaveLength(2);
    const { type, data } = saidBy({ bytes: messages[39]!, isBinary: false }) as {
      type: string;
      data: Record<string, unknown>;
    };
    expect([type, data['audioContentType'], data['sampleRate'], data['queuePlay']]).toEqual([
      'playAudio',
      'raw',
      16_000,
      true,
    ]);
    expect(Buffer.from(String(data['audioContent']), 'base64')).toHaveLength(20 * 640);
    expect(session.writeMark('utt-7')).toBeUndefined();
    expect('writeTail' in session && session.writeTail?.()).toBeFalsy();
    expect(saidBy(session.writeClear())).toEqual({ type: 'killAudio' });
  });
});

describe('what jambonz plays', () => {
  const frame = new Int16Array(320).fill(7);

  it('keeps back the end of speech and its mark, until the silence behind them', () => {
    const { session } = openStarted();
    const player = new JambonzPlayer();
    for (let i = 0; i < 5; i++) hear(player, session, frame);
    tell(player, session.writeMark('utt-7'));
    player.play();
    expect([player.played.length, player.events]).toEqual([1_280, []]);
    tell(player, session.writeTail?.());
    player.play();
    expect(player.played.filter((sample) => sample === 7)).toHaveLength(5 * 320);
    expect(player.events).toEqual([{ name: 'm1', event: 'playout' }]);
  });

  it.each([8000, 16_000, 24_000, 48_000])('is brought out by 80 ms at least, at %i Hz', (sampleRate) => {
    const { session } = openStarted({}, { ...METADATA, sampleRate });
    const { bytes } = session.writeTail!()!;
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(bytes.length / 2).toBeGreaterThanOrEqual(Math.max(1_280, 0.08 * sampleRate));
  });

  it('puts a mark before the next binary message, not behind what was sent', () => {
    const { session } = openStarted();
    const player = new JambonzPlayer();
    for (let i = 0; i < 4; i++) hear(player, session, frame);
    tell(player, session.writeMark('a'));
    player.play();
    expect(player.events).toEqual([]);
    for (let i = 0; i < 2; i++) hear(player, session, frame);
    player.play();
    expect(player.events).toEqual([{ name: 'm1', event: 'playout' }]);
  });

  it('reports no mark too early, though the speech is full of −1', () => {
    const { session } = openStarted();
    const player = new JambonzPlayer();
    tell(player, session.writeMark('a'));
    tell(player, session.writeMark('b'));
    hear(player, session, new Int16Array(1_280).fill(-1));
    player.play();
    expect(player.events.map(({ name }) => name)).toEqual(['m1', 'm2']);
    expect(player.played).toHaveLength(1_280);
    tell(player, session.writeMark('c'));
    hear(player, session, new Int16Array(300).fill(-1));
    player.play();
    expect(player.events).toHaveLength(2);
  });
});

describe('a caller like jambonz', () => {
  it('offers its subprotocol, and says the names it is known by', () => {
    const { caller } = openLine(jambonzDialect);
    expect(caller.subprotocols).toEqual(['audio.jambonz.org']);
    expect(saidBy(caller.hello()[0])).toMatchObject({ sampleRate: 8000, mixType: 'mono', lead_id: '884' });
  });

  it('plays what is sent either way, and nothing it cannot', () => {
    const { caller } = openStartedLine(jambonzDialect);
    const inbound = openInbound();
    const data = { audioContent: 'AAECAw==', audioContentType: 'raw', sampleRate: 16_000, queuePlay: true };
    expect(
      caller.read(
        textBytes({ type: 'playAudio', data: { ...data, audioContentType: 'ogg' } }),
        false,
        inbound,
      ),
    ).toMatchObject({
      fault: 'unsupported_format',
    });
    expect(caller.read(textBytes({ type: 'playAudio', data }), false, inbound)).toBe(AUDIO);
    expect(payloadOf(inbound)).toEqual(Buffer.of(0, 1, 2, 3));
    expect(caller.read(textBytes({ type: 'sing' }), false, inbound).type).toBe('refusal');
  });
});
