import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { describe, expect, it } from 'vitest';
import { newApiKey } from '../../../src/api/api-key.ts';
import { QueueMembers } from '../../../src/api/live/queue-members.ts';
import type { ApiKey } from '../../../src/api/ports.ts';
import type { MemberWire } from '../../../src/api/queues/queue-desk.ts';
import { VoiceError } from '../../../src/base/errors.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** A WebSocket in memory: what was sent, and how it was closed. */
class MemberSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readyState = 1;
  bufferedAmount = 0;
  pings = 0;
  readonly sent: string[] = [];
  closed: { code: number; reason: string } | undefined;

  send(text: string): void {
    this.sent.push(text);
  }

  ping(): void {
    this.pings++;
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  terminate(): void {
    this.readyState = 3;
    this.emit('close');
  }
}

function openScene() {
  const clock = new FakeClock();
  const { key } = newApiKey({ workspaceId: 'ws_1', name: 'test' }, clock);
  const found: { key: ApiKey | undefined } = { key };
  const members = new QueueMembers({ clock, directory: { findByHash: async () => found.key } });
  const socket = new MemberSocket();
  const seat = { id: 'member_1', said: [] as object[], left: 0 };
  let wire: MemberWire | undefined;
  members.seat(key, 'calls:write', socket as unknown as WebSocket, (given) => {
    wire = given;
    const say = (message: object): void => void seat.said.push(message);
    return { id: seat.id, say, leave: () => void seat.left++ };
  });
  return { clock, key, found, members, socket, seat, wire: wire! };
}

describe('a member of a queue on its WebSocket', () => {
  it('is gone when it does not answer a ping, and leaves its seat once', () => {
    const { clock, socket, seat } = openScene();
    clock.advance(15_000);
    socket.emit('pong');
    clock.advance(15_000);
    expect([socket.pings, seat.left]).toEqual([2, 0]);
    clock.advance(15_000);
    expect([socket.pings, seat.left]).toEqual([2, 1]);
    expect(clock.pendingTasks).toBe(0);
  });

  it('is cut off and counted when it leaves 256 KiB unread, whether it takes its end or not', () => {
    const { clock, members, socket, seat, wire } = openScene();
    wire.tell({ type: 'state', state: 'ready' });
    socket.bufferedAmount = 256 * 1024 + 1;
    wire.tell({ type: 'offer' });
    wire.tell({ type: 'offer' });
    expect(socket.sent).toEqual(['{"type":"state","state":"ready"}']);
    expect([socket.closed, members.stats.tooSlow]).toEqual([{ code: 4408, reason: 'too_slow' }, 1]);
    clock.advance(5_000);
    expect(seat.left).toBe(1);
  });

  it('is cut off at the next heartbeat when its key was revoked', async () => {
    const { clock, found, members, socket } = openScene();
    found.key = undefined;
    clock.advance(15_000);
    await Promise.resolve();
    expect([socket.closed?.code, members.stats.revoked]).toEqual([4401, 1]);
  });

  it('is heard no more once it said too much', () => {
    const { members, socket, seat } = openScene();
    for (let i = 0; i < 30; i++) socket.emit('message', Buffer.from('{"type":"ready"}'), false);
    expect(seat.said).toHaveLength(20);
    expect([socket.closed?.code, members.stats.tooManyMessages]).toEqual([4429, 1]);
  });

  it('is asked to come back when control goes, and nobody else is let in', () => {
    const { key, members, socket } = openScene();
    members.closeAll();
    expect(socket.closed).toEqual({ code: 1012, reason: 'draining' });
    expect(() => members.admit(key)).toThrow('closing');
  });

  it('is told why it has no seat', () => {
    const { key, members } = openScene();
    const late = new MemberSocket();
    members.seat(key, 'calls:write', late as unknown as WebSocket, () => {
      throw new VoiceError('overloaded', 'no room');
    });
    expect(late.closed).toEqual({ code: 4503, reason: 'overloaded' });
  });

  it('has at most 500 siblings of its key', () => {
    const { key, members } = openScene();
    const join = () => ({ id: 'm', say: () => undefined, leave: () => undefined });
    for (let i = 1; i < 500; i++) {
      members.seat(key, 'calls:write', new MemberSocket() as unknown as WebSocket, join);
    }
    expect(() => members.admit(key)).toThrow('500 members');
    expect(members.stats.refused).toBe(1);
  });
});
