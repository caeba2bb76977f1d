import { describe, expect, it } from 'vitest';
import { jambonzDialect } from '../../src/dialect/jambonz/dialect.ts';
import { newFrameCounters } from '../../src/leg/counters.ts';
import { Egress } from '../../src/leg/egress.ts';
import { l16 } from '../../src/media/format.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';

const FORMAT = l16(16_000);

/** The way out to a provider that keeps back what came last. */
function openEgress() {
  const socket = new MemorySocket();
  const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
  const session = jambonzDialect.openSession({ nowMs: 0, upgrade, options: {} });
  const inbound = { payload: new Uint8Array(64), payloadBytes: 0, sequence: -1, timestampMs: -1 };
  session.read(Buffer.from('{"sampleRate":16000,"mixType":"mono","callSid":"c"}'), false, inbound);
  const egress = new Egress(FORMAT, session, socket, newFrameCounters());
  const tails = (): number => socket.sent.filter(({ isAudio }) => !isAudio).length;
  return { egress, socket, tails, speaks: () => egress.send(new Int16Array(320).fill(7)) };
}

describe('the tail of speech', () => {
  it('follows once, when nothing was said for three ticks', () => {
    const { egress, speaks, tails } = openEgress();
    speaks();
    expect(egress.collectedFrames).toBe(1);
    const tailsAfter = [1, 2, 3, 4, 5].map(() => (egress.rest(), tails()));
    expect(tailsAfter).toEqual([0, 0, 1, 1, 1]);
    expect(egress.collectedFrames).toBe(0);
  });

  it('does not fall between the frames of a source that speaks just in time', () => {
    const { egress, speaks, tails } = openEgress();
    for (let i = 0; i < 20; i++) {
      speaks();
      egress.rest();
      egress.rest();
    }
    expect(tails()).toBe(0);
  });

  it('follows a mark, too', () => {
    const { egress, tails } = openEgress();
    egress.flush();
    for (let i = 0; i < 3; i++) egress.rest();
    expect(tails()).toBe(1);
  });

  it('is not owed for what was cleared: it would bring that out', () => {
    const { egress, speaks, tails } = openEgress();
    speaks();
    egress.discard();
    for (let i = 0; i < 5; i++) egress.rest();
    expect([egress.collectedFrames, tails()]).toEqual([0, 0]);
  });
});
