import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { sleep, type Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { DemoProcess } from './demo-process.ts';

const PROGRAM = 'redis-server';
const ANSWERS_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;

/** Whether this machine has a Redis to start. */
export function hasRedis(): boolean {
  return spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A Redis of its own that keeps nothing; resolves when it takes connections. */
export async function openRedis(
  port: number,
  folder: string,
  clock: Pick<Clock, 'after' | 'nowMs'>,
): Promise<DemoProcess> {
  const nothing = ['--save', '', '--appendonly', 'no', '--dir', folder];
  const args = ['--port', String(port), '--bind', '127.0.0.1', ...nothing];
  const redis = new DemoProcess({ program: PROGRAM, args, clock });
  const untilMs = clock.nowMs() + ANSWERS_WITHIN_MS;
  while (!(await isListening(port))) {
    if (redis.hasLeft || clock.nowMs() > untilMs) {
      redis.kill();
      throw new VoiceError('unavailable', `redis-server did not start: ${redis.lastWords}`);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
  return redis;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
