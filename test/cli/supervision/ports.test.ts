import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { findPorts } from '../../../src/cli/supervision/ports.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function takeAny(): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const ANY = { host: '127.0.0.1', port: 0, mediaPort: 0, mediaNodes: 3 };

describe('the ports', () => {
  it('are free ones in a row where any will do, the API beside them', async () => {
    const found = await findPorts(ANY);
    if ('mistakes' in found) throw new Error(found.mistakes.join());
    expect(found.port >= found.mediaPort && found.port <= found.mediaPort + 3).toBe(false);
    // Let go again: the same ports can be asked for by number.
    expect(await findPorts({ ...ANY, ...found })).toEqual(found);
  });

  it('that strangers hold are all named', async () => {
    const [port, mediaPort] = [await takeAny(), await takeAny()];
    const found = await findPorts({ ...ANY, port, mediaPort, mediaNodes: 1 });
    const mistakes = 'mistakes' in found ? found.mistakes : [];
    expect(
      mistakes.filter((mistake) => mistake.startsWith(`OMNIVOICE_PORT: 127.0.0.1:${port} is taken`)),
    ).toHaveLength(1);
    const media = `OMNIVOICE_MEDIA_PORT: 127.0.0.1:${mediaPort} is taken`;
    expect(mistakes.filter((mistake) => mistake.startsWith(media))).toHaveLength(1);
  });

  it('on an address that is not ours say which setting to look at', async () => {
    const found = await findPorts({ ...ANY, host: '192.0.2.1', port: 18_080 });
    const mistakes = 'mistakes' in found ? found.mistakes : [];
    expect(mistakes[0]).toBe(
      'OMNIVOICE_PORT: 192.0.2.1:18080 cannot be listened on (EADDRNOTAVAIL): check OMNIVOICE_HOST',
    );
  });
});
