import { describe, expect, it } from 'vitest';
import { FarSocket } from '../../../src/gateway/relay/far-socket.ts';
import { RELAY, RELAY_UNSENT_BYTES_MAX } from '../../../src/gateway/relay/relay-frames.ts';
import { RelayedLine } from '../../../src/gateway/relay/relayed-line.ts';
import { FakeClock } from '../../fakes/clock.ts';

const FRAME = Buffer.alloc(160, 7);

/** Both ends of a relay, with a client's socket and a link that fill as they are told. */
function openRelay() {
  const clock = new FakeClock();
  const counts = { opened: 0, refused: 0, lostOwners: 0, droppedMessages: 0, droppedAudioFrames: 0 };
  const link = { bufferedBytes: 0 };
  const client = { bufferedBytes: 0, heard: 0 };
  const owner = { heard: 0 };
  const far = new FarSocket(
    {
      get bufferedBytes() {
        return link.bufferedBytes;
      },
      carry: (type, _handle, payload) => {
        line.carried(type, Buffer.from(payload));
        return true;
      },
    },
    1,
    counts,
  );
  const line = new RelayedLine({
    handle: 1,
    clock,
    counts,
    onEnded: () => {},
    way: {
      get bufferedBytes() {
        return link.bufferedBytes;
      },
      carry: (type) => {
        if (type === RELAY.busy || type === RELAY.idle) far.isBusy = type === RELAY.busy;
        else owner.heard++;
        return true;
      },
    },
    socket: {
      get bufferedBytes() {
        return client.bufferedBytes;
      },
      sendAudio: () => {
        if (client.bufferedBytes > 0) return false;
        client.heard++;
        return true;
      },
      send: () => {},
      pauseReading: () => {},
      resumeReading: () => {},
      close: () => {},
    },
  });
  return { clock, counts, link, client, owner, far, line };
}

describe('a relay', () => {
  it('sends no audio while the client’s socket is busy, and goes on once it is idle', () => {
    const { clock, counts, client, far } = openRelay();
    expect(far.sendAudio(FRAME, true)).toBe(true);
    client.bufferedBytes = 1;
    far.sendAudio(FRAME, true);
    expect(far.sendAudio(FRAME, true)).toBe(false);
    clock.advance(40);
    expect(far.sendAudio(FRAME, true)).toBe(false);
    client.bufferedBytes = 0;
    clock.advance(20);
    expect(far.sendAudio(FRAME, true)).toBe(true);
    expect(client.heard).toBe(2);
    expect(counts.droppedAudioFrames).toBe(2);
  });

  it('drops and counts what a full link would keep waiting', () => {
    const { counts, link, owner, far, line } = openRelay();
    line.receive(FRAME, true);
    link.bufferedBytes = RELAY_UNSENT_BYTES_MAX + 1;
    line.receive(FRAME, true);
    expect(far.sendAudio(FRAME, true)).toBe(false);
    expect(owner.heard).toBe(1);
    expect(counts).toMatchObject({ droppedMessages: 1, droppedAudioFrames: 1 });
  });
});
