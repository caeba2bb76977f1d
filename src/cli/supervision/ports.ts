import { createServer, type Server } from 'node:net';
import { isObject } from '../../base/json.ts';

/** The ports asked for; 0 where any free one will do. */
export interface WantedPorts {
  readonly host: string;
  readonly port: number;
  readonly mediaPort: number;
  readonly mediaNodes: number;
}

/** The ports to use, or why they cannot be had. */
export type PortsResult =
  | { readonly port: number; readonly mediaPort: number }
  | { readonly mistakes: readonly string[] };

const BLOCK_TRIES = 20;

/**
 * Binds every port of the house once, alone, and lets go: a stranger on one of them is found now, where two
 * servers
 * that share a port would silently split the calls.
 */
export async function findPorts(wanted: WantedPorts): Promise<PortsResult> {
  const held: Server[] = [];
  try {
    const mistakes: string[] = [];
    const port = wanted.port === 0 ? 0 : await takeFixed(wanted, wanted.port, 'PORT', { held, mistakes });
    const mediaPort = await takeMediaBlock(wanted, { held, mistakes });
    if (mistakes.length > 0) return { mistakes };
    return { port: port === 0 ? await take(wanted.host, 0, held) : port, mediaPort };
  } finally {
    await Promise.all(held.map(letGo));
  }
}

interface Progress {
  readonly held: Server[];
  readonly mistakes: string[];
}

async function takeMediaBlock(wanted: WantedPorts, progress: Progress): Promise<number> {
  const { mediaPort, mediaNodes } = wanted;
  if (mediaPort === 0) return takeFreeBlock(wanted, progress);
  for (let offset = 0; offset <= mediaNodes; offset++) {
    await takeFixed(wanted, mediaPort + offset, 'MEDIA_PORT', progress);
  }
  return mediaPort;
}

async function takeFreeBlock({ host, mediaNodes }: WantedPorts, progress: Progress): Promise<number> {
  for (let tries = 0; tries < BLOCK_TRIES; tries++) {
    const block: Server[] = [];
    try {
      const first = await take(host, 0, block);
      for (let offset = 1; offset <= mediaNodes; offset++) await take(host, first + offset, block);
      progress.held.push(...block);
      return first;
    } catch {
      // A neighbour of the free port is taken: another block will do.
      await Promise.all(block.map(letGo));
    }
  }
  progress.mistakes.push(`OMNIVOICE_MEDIA_PORT: found no ${mediaNodes + 1} free ports in a row on ${host}`);
  return 0;
}

async function takeFixed(
  { host }: WantedPorts,
  port: number,
  setting: string,
  progress: Progress,
): Promise<number> {
  try {
    return await take(host, port, progress.held);
  } catch (error) {
    progress.mistakes.push(sentenceOf(error, `${host}:${port}`, setting));
    return port;
  }
}

function sentenceOf(error: unknown, place: string, setting: string): string {
  const code = isObject(error) ? String(error['code']) : '';
  const flag = setting === 'PORT' ? '--port' : '--media-port';
  if (code === 'EADDRINUSE') {
    const taken = `OMNIVOICE_${setting}: ${place} is taken by another program`;
    return `${taken}: stop it, or choose another with ${flag}`;
  }
  if (code === 'EACCES') {
    return `OMNIVOICE_${setting}: ${place} may not be used by this user: choose another with ${flag}`;
  }
  return `OMNIVOICE_${setting}: ${place} cannot be listened on (${code}): check OMNIVOICE_HOST`;
}

function take(host: string, port: number, held: Server[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      held.push(server);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function letGo(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
