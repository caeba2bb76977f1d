import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { mintSessionToken } from '../../../src/base/session-token.ts';
import { audioSocketDialect } from '../../../src/dialect/audiosocket/dialect.ts';
import { framed } from '../../../src/dialect/audiosocket/framing.ts';
import { openAudioSocketDoor, type AudioSocketDoor } from '../../../src/gateway/audiosocket/door.ts';
import { MessageCutter } from '../../../src/gateway/audiosocket/message-cutter.ts';
import { AudioSocketTickets } from '../../../src/gateway/audiosocket/tickets.ts';
import { openSessionGate } from '../../../src/gateway/door/session-gate.ts';
import { openTokenLedger, type TokenLedger } from '../../../src/gateway/token-ledger.ts';
import { FakeArrivals, sessionClaims } from '../../fakes/gateway-house.ts';
import { until } from '../../fakes/until.ts';

const UUID = '40325ec2-5efd-4bd3-805f-53576e581d13';
const UUID_MESSAGE = framed(0x01, Buffer.from(UUID.replaceAll('-', ''), 'hex'));
const FRAME = Buffer.alloc(640, 7);
const SECRETS = [Buffer.alloc(32, 7)];
const HANGUP = Buffer.of(0, 0, 0);

let folder: string;
let door: AudioSocketDoor;
let tickets: AudioSocketTickets;
let ledger: TokenLedger;
const arrivals = new FakeArrivals();
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audiosocket-'));
  arrivals.legs.length = 0;
  arrivals.refusal = undefined;
  tickets = new AudioSocketTickets(folder, systemClock);
  ledger = openTokenLedger({ directory: folder, clock: systemClock });
  door = await openAudioSocketDoor({
    clock: systemClock,
    dialect: audioSocketDialect,
    arrivals,
    sessions: openSessionGate({ secrets: SECRETS, clock: systemClock, ledger }),
    tickets,
    host: '127.0.0.1',
    port: 0,
    isShared: false,
    limits: { firstMessageMsMax: 300 },
    reportFailure: (error) => {
      throw error;
    },
  });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await door.close();
  tickets.close();
  ledger.close();
  rmSync(folder, { recursive: true });
});

interface Visit {
  readonly socket: Socket;
  readonly heard: Buffer[];
  isGone: boolean;
}

/** Asterisk at the door: what it says at once, in one piece or in pieces. */
function visit(...pieces: readonly Uint8Array[]): Visit {
  const socket = connect(door.port, '127.0.0.1');
  const visiting: Visit = { socket, heard: [], isGone: false };
  sockets.push(socket);
  socket.on('data', (bytes: Buffer) => void visiting.heard.push(bytes));
  socket.on('error', () => undefined);
  socket.on('close', () => (visiting.isGone = true));
  for (const piece of pieces) socket.write(piece);
  return visiting;
}

function tokenOf(tokenId: string, unixMs = systemClock.unixMs()): Promise<string> {
  return mintSessionToken(sessionClaims(tokenId), SECRETS, unixMs);
}

async function putSession(tokenId = 'vs_1'): Promise<void> {
  await tickets.put(UUID, await tokenOf(tokenId));
}

describe('the door of AudioSocket', () => {
  it('lets in the UUID of a session made before, at the rate of its first audio, and loses none of it', async () => {
    await putSession();
    visit(Buffer.concat([UUID_MESSAGE, framed(0x12, FRAME), framed(0x12, FRAME)]));
    await until(() => arrivals.legs[0]?.messages.length === 2, 'both frames');
    const { arrival } = arrivals.legs[0]!;
    expect(arrival.started).toMatchObject({
      providerCallId: UUID,
      inbound: { codec: 'l16', sampleRateHz: 16_000, littleEndian: true },
    });
    expect([arrival.caller.callId, arrival.dialect.name]).toEqual(['call_1', 'audiosocket']);
    expect(door.stats).toMatchObject({ accepted: 1, legsStarted: 1, refusedUuids: 0 });
  });

  it('hears messages whole, however TCP cuts them', async () => {
    await putSession();
    const all = Buffer.concat([UUID_MESSAGE, framed(0x10, FRAME), framed(0x03, Buffer.from('5'))]);
    const { socket } = visit();
    socket.setNoDelay(true);
    for (let at = 0; at < all.length; at += 97) {
      socket.write(all.subarray(at, at + 97));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => arrivals.legs[0]?.messages.length === 2, 'the digit');
    expect(arrivals.legs[0]!.messages.map(({ text }) => text.length)).toEqual([643, 4]);
  });

  it('speaks framed audio, and hangs up by a word', async () => {
    await putSession();
    const { heard, socket } = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => arrivals.legs.length === 1, 'the leg');
    const { session, socket: sink } = arrivals.legs[0]!.arrival;
    expect(sink.sendAudio(session.writeAudio(FRAME.subarray(0, 320))!, true)).toBe(true);
    sink.send(session.writeEnd('hangup')!);
    sink.close(1000, 'hangup');
    await until(() => socket.readableEnded, 'the end');
    expect(Buffer.concat(heard)).toEqual(Buffer.concat([framed(0x10, FRAME.subarray(0, 320)), HANGUP]));
    await until(() => arrivals.legs[0]!.losses.length === 1, 'the leg to be told');
  });

  it('takes a UUID once', async () => {
    await putSession();
    visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => arrivals.legs.length === 1, 'the first');
    const again = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => again.isGone, 'the second to be refused');
    expect([arrivals.legs.length, door.stats.refusedUuids]).toEqual([1, 1]);
  });

  it('takes no UUID that stands for no session, or for an expired or forged one', async () => {
    const unknown = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => unknown.isGone, 'the unknown to be refused');
    await tickets.put(UUID, `${await tokenOf('vs_2')}x`);
    const forged = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => forged.isGone, 'the forged to be refused');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    await tickets.put(UUID, await tokenOf('vs_3', systemClock.unixMs() - 3_600_000));
    const expired = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => expired.isGone, 'the expired to be refused');
    expect([arrivals.legs.length, door.stats.refusedUuids]).toEqual([0, 3]);
  });

  it('keeps a UUID for one session', async () => {
    await putSession();
    await expect(putSession('vs_2')).rejects.toMatchObject({ code: 'conflict' });
  });

  it.each([
    ['audio first', framed(0x10, FRAME)],
    ['a short UUID', framed(0x01, Buffer.alloc(15))],
    ['a message beyond any', Buffer.of(0x01, 0xff, 0xff)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('ends who begins with %s', async (_, bytes) => {
    const visiting = visit(bytes);
    await until(() => visiting.isGone, 'the end');
    expect([arrivals.legs.length, door.stats.protocolViolations]).toEqual([0, 1]);
  });

  it('ends who says nothing in time', async () => {
    const visiting = visit();
    await until(() => visiting.isGone, 'the end');
    expect(door.stats.timeouts).toBe(1);
  });

  it('takes the end of the connection for a hang-up', async () => {
    await putSession();
    const { socket } = visit(UUID_MESSAGE, framed(0x10, FRAME));
    await until(() => arrivals.legs.length === 1, 'the leg');
    socket.end();
    await until(() => arrivals.legs[0]!.losses.length === 1, 'the end');
    expect(arrivals.legs[0]!.losses).toEqual([{ type: 'closed', closeCode: 1000 }]);
  });

  it('takes nobody while the node takes nobody', async () => {
    arrivals.refusal = { type: 'refusal', fault: 'draining', detail: 'leaving' };
    const visiting = visit(UUID_MESSAGE);
    await until(() => visiting.isGone, 'the end');
    expect(door.stats).toMatchObject({ accepted: 0, refusedFull: 1 });
  });
});

describe('cutting messages', () => {
  it('finds the same messages in any pieces', () => {
    const messages = [UUID_MESSAGE, framed(0x10, FRAME), HANGUP, framed(0x03, Buffer.from('#'))];
    const all = Buffer.concat(messages);
    for (const pieceBytes of [1, 2, 3, 7, 640, all.length]) {
      const cutter = new MessageCutter();
      const found: Buffer[] = [];
      for (let at = 0; at < all.length; at += pieceBytes) {
        cutter.push(all.subarray(at, at + pieceBytes));
        expect(cutter.cut((message) => found.push(Buffer.from(message)) > 0)).toBe(true);
      }
      expect(found).toEqual(messages);
    }
  });
});
