import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { TcpLine } from '../../../src/gateway/audiosocket/line.ts';

it('a line whose peer does not read is ended beyond its limit, and counted for all lines of the door', () => {
  const ended: string[] = [];
  const socket = {
    writableLength: 0,
    write: ({ length }: Uint8Array) => void (socket.writableLength += length),
    destroy: () => void ended.push('destroyed'),
  };
  const stats = { wedgedSockets: 0 };
  const line = new TcpLine(socket as unknown as Socket, 100, () => {}, stats);
  for (let i = 0; i < 4; i++) line.send({ bytes: new Uint8Array(60), isBinary: true });
  // The third is not even written.
  expect([socket.writableLength, ended, stats.wedgedSockets]).toEqual([120, ['destroyed'], 1]);
});
