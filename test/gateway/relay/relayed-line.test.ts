import { describe, expect, it } from 'vitest';
import { FarSocket } from '../../../src/gateway/relay/far-socket.ts';
import { RELAY, RELAY_UNSENT_BYTES_MAX, type RelayWay } from '../../../src/gateway/relay/relay-frames.ts';
import { RelayedLine } from '../../../src/gateway/relay/relayed-line.ts';
import { FakeClock } from '../../fakes/clock.ts';

const FRAME = Buffer.alloc(160, 7);

/** Both ends of a relay, with a client's socket and a link that fill as they are told. */
function openRelay({ canBeFound = false } = {}) {
  const clock = new FakeClock();
  const dropped = { droppedMessages: 0, droppedAudioFrames: 0, waitingDropped: 0 };
  const counts = { opened: 0, refused: 0, lostOwners: 0, followed: 0, ...dropped };
  const link = { bufferedBytes: 0 };
  const client = { bufferedBytes: 0, heard: 0, closes: [] as (readonly [number, string])[] };
  const owner = { heard: [] as string[], lost: 0 };
  const way = (carry: RelayWay['carry']): RelayWay => ({
    get bufferedBytes() {
      return link.bufferedBytes;
    },
    carry,
  });
  const toClient = way((type, _handle, payload) => {
    line.carried(type, Buffer.from(payload));
    return true;
  });
  const far = new FarSocket(toClient, 1, counts);
  const toOwner = way((type, _handle, payload) => {
    if (type === RELAY.busy || type === RELAY.idle) far.isBusy = type === RELAY.busy;
    else if (type === RELAY.lost) owner.lost++;
    else owner.heard.push(Buffer.from(payload).toString('latin1'));
    return true;
  });
  const line = new RelayedLine({
    clock,
    counts,
    onSeated: () => {},
    onLost: () => canBeFound,
    onLeft: () => {},
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
      close: (code, reason) => void client.closes.push([code, reason]),
    },
  });
  line.carryOver(toOwner, 1);
  const say = (words: string): void => line.receive(Buffer.from(words, 'latin1'), true, clock.nowMs());
  return { clock, counts, link, client, owner, far, line, say, toOwner };
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

  it('is held up by its own client or a full link, and by no moment’s bytes of other legs', () => {
    const { link, client, far } = openRelay();
    link.bufferedBytes = 1_000;
    expect(far.bufferedBytes).toBe(0);
    expect(far.sendAudio(FRAME, true)).toBe(true);
    link.bufferedBytes = RELAY_UNSENT_BYTES_MAX + 1;
    expect(far.bufferedBytes).toBe(RELAY_UNSENT_BYTES_MAX + 1);
    link.bufferedBytes = 0;
    client.bufferedBytes = 1;
    far.sendAudio(FRAME, true);
    expect(far.bufferedBytes).toBeGreaterThan(0);
  });

  it('drops and counts what a full link would keep waiting', () => {
    const { counts, link, owner, far, say } = openRelay();
    say('one');
    link.bufferedBytes = RELAY_UNSENT_BYTES_MAX + 1;
    say('two');
    expect(far.sendAudio(FRAME, true)).toBe(false);
    expect(owner.heard).toEqual(['one']);
    expect(counts).toMatchObject({ droppedMessages: 1, droppedAudioFrames: 1 });
  });
});

describe('a relay whose owner is gone', () => {
  it('closes its client’s socket where the call cannot be looked for', () => {
    const { line, client, counts } = openRelay();
    line.ownerLost();
    expect(client.closes).toEqual([[1012, 'node_lost']]);
    expect(counts.lostOwners).toBe(1);
  });

  it('keeps what is said meanwhile for the next owner, each message once and in order', () => {
    const { line, client, owner, say, toOwner } = openRelay({ canBeFound: true });
    say('one');
    line.ownerLost();
    say('two');
    say('three');
    expect(line.isSearching).toBe(true);
    line.carryOver(toOwner, 2);
    say('four');
    expect(owner.heard).toEqual(['one', 'two', 'three', 'four']);
    expect(client.closes).toEqual([]);
  });

  it('keeps a second of it, and counts the rest', () => {
    const { line, owner, say, toOwner, counts } = openRelay({ canBeFound: true });
    line.ownerLost();
    for (let number = 0; number < 60; number++) say(String(number));
    line.carryOver(toOwner, 2);
    expect([owner.heard.length, owner.heard[0], counts.waitingDropped]).toEqual([50, '10', 10]);
  });

  it('becomes a leg of this node where the call has come here', () => {
    const { line, say, clock } = openRelay({ canBeFound: true });
    const heard: string[] = [];
    const lost: number[] = [];
    line.ownerLost();
    say('one');
    line.goOn({
      receive: (message) => void heard.push(Buffer.from(message).toString('latin1')),
      lost: (_cause, nowMs) => void lost.push(nowMs),
    });
    say('two');
    line.lost({ type: 'closed', closeCode: 1000 }, clock.nowMs());
    expect(heard).toEqual(['one', 'two']);
    expect(lost).toHaveLength(1);
  });

  it('hears nothing of its former owner any more', () => {
    const { line, far, client } = openRelay({ canBeFound: true });
    line.ownerLost();
    far.sendAudio(FRAME, true);
    far.close(1000, 'normal');
    expect(client).toMatchObject({ heard: 0, closes: [] });
  });
});

describe('a relay whose owner has the call no more', () => {
  it('goes after it, and its owner waits for it no longer', () => {
    const { line, far, client, owner } = openRelay({ canBeFound: true });
    far.close(4410, 'call_moved');
    expect([line.isSearching, owner.lost, client.closes]).toEqual([true, 1, []]);
  });

  it('leaves it to a client that was told where to go and has time for it', () => {
    const { line, far, client } = openRelay({ canBeFound: true });
    far.close(4410, 'call_moved', 2_000);
    expect([line.isSearching, client.closes]).toEqual([false, [[4410, 'call_moved']]]);
  });
});

describe('a relay whose owner leaves', () => {
  /** The owner says: come for the call. Both sides speak on until it was given. */
  function openFetched() {
    const scene = openRelay({ canBeFound: true });
    scene.say('before');
    expect(scene.far.fetch()).toBe(true);
    scene.say('meanwhile');
    return scene;
  }

  it('speaks with its owner until that has given the call, and what is said until it is here waits', () => {
    const { line, owner, client, far, say, clock, leg } = { ...openFetched(), leg: hearingLeg() };
    expect([line.isSearching, owner.heard]).toEqual([true, ['before', 'meanwhile']]);
    expect(far.sendAudio(FRAME, true)).toBe(true);
    expect(client.heard).toBe(1);
    far.close(4410, 'call_moved');
    say('given');
    line.goOn(leg);
    say('here');
    expect([leg.heard, client.closes, owner.lost]).toEqual([['given', 'here'], [], 1]);
    line.lost({ type: 'closed', closeCode: 1000 }, clock.nowMs());
    expect([leg.losses, owner.lost]).toEqual([1, 1]);
  });

  it('goes on with its owner where the call cannot be fetched, and nothing is missing', () => {
    const { line, owner, client, say } = openFetched();
    line.giveUp();
    say('after');
    expect([owner.heard, client.closes]).toEqual([['before', 'meanwhile', 'after'], []]);
  });

  it('is looked for when its owner is lost while it is fetched, and not twice', () => {
    const { line, client, counts } = openFetched();
    line.ownerLost();
    expect([line.isSearching, counts.lostOwners]).toEqual([true, 1]);
    line.giveUp();
    expect(client.closes).toEqual([[1012, 'node_lost']]);
  });

  it('stays where it is when there is nothing to look for it by', () => {
    const { far, line, say, owner } = openRelay();
    far.fetch();
    say('on');
    expect([line.isSearching, owner.heard]).toEqual([false, ['on']]);
  });

  it('carries on what the client says after it was told where to go, until it has left', () => {
    const { far, line, owner } = openRelay();
    expect(line.receiveLate(FRAME, true)).toBe(false);
    far.close(4409, 'leg_replaced', 2_000);
    expect(far.isTaken).toBe(false);
    expect(line.receiveLate(Buffer.from('late'), true)).toBe(true);
    expect(owner.heard).toEqual(['late']);
  });

  it('has the answers to its last words heard by its protocol where the call has ended', () => {
    const { far, line } = openRelay();
    far.close(1000, 'hangup', 2_000);
    expect(line.receiveLate(FRAME, true)).toBe(false);
  });
});

/** A leg of this node, and what it was told. */
function hearingLeg() {
  const heard: string[] = [];
  const leg = {
    heard,
    losses: 0,
    receive: (message: Uint8Array) => void heard.push(Buffer.from(message).toString('latin1')),
    lost: () => void leg.losses++,
  };
  return leg;
}
