import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VoiceError } from '../../src/base/errors.ts';
import { apiAccessOf, apiUrlOf, withAdvice } from '../../src/cli/api-access.ts';
import { makeCertificate } from '../fakes/gateway-certificate.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'omnivoice-access-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

describe('the way to the API', () => {
  it('is the flag, then what a server in the same environment would have', () => {
    expect(apiUrlOf({ url: 'https://voice.example/' }, {})).toBe('https://voice.example');
    expect(apiUrlOf({}, { OMNIVOICE_PUBLIC_URL: 'http://a:1', OMNIVOICE_PORT: '2' })).toBe('http://a:1');
    expect(apiUrlOf({}, { OMNIVOICE_PORT: '9000' })).toBe('http://127.0.0.1:9000');
    expect(apiUrlOf({}, {})).toBe('http://127.0.0.1:8080');
    expect(() => apiUrlOf({ url: 'localhost:8080' }, {})).toThrow('--url localhost:8080 is not an http://');
  });

  it('takes the key of the flag, of the environment, of the data dir, in this order', () => {
    writeFileSync(join(dataDir, 'cli-key'), 'omf_live_file\n');
    const env = { OMNIVOICE_API_KEY: 'omf_live_env' };
    expect(apiAccessOf({ key: 'omf_live_flag', dataDir }, env)).toMatchObject({ key: 'omf_live_flag' });
    expect(apiAccessOf({ dataDir }, env)).toMatchObject({ key: 'omf_live_env' });
    expect(apiAccessOf({ dataDir }, {})).toMatchObject({ key: 'omf_live_file' });
    expect(apiAccessOf({}, { OMNIVOICE_DATA_DIR: dataDir })).toMatchObject({ key: 'omf_live_file' });
  });

  it('says what to do where there is no key', () => {
    expect(() => apiAccessOf({ dataDir }, {})).toThrow(/no API key: there is no .*cli-key here.*npm start/);
    mkdirSync(join(dataDir, 'cli-key'));
    expect(() => apiAccessOf({ dataDir }, {})).toThrow('cannot read');
  });
});

describe('advice', () => {
  const access = { url: 'http://a:1', key: 'k', keySource: 'data/cli-key' };
  async function after(failure: Error): Promise<unknown> {
    const fail = async (): Promise<never> => {
      throw failure;
    };
    try {
      return await withAdvice(access, fail);
    } catch (thrown) {
      return thrown;
    }
  }

  it('is given where nobody answers, and where the key is not good', async () => {
    const unreachable = new VoiceError('unavailable', 'x', { cause: new Error('ECONNREFUSED') });
    expect(await after(unreachable)).toMatchObject({
      message: expect.stringContaining('npm start') as string,
    });
    expect(await after(new VoiceError('unauthenticated', 'no such key'))).toMatchObject({
      code: 'unauthenticated',
      message: 'no such key (the key is from data/cli-key; --key gives another)',
    });
  });

  it('tells a certificate that is not trusted from nobody being there', async () => {
    const server = createServer(makeCertificate('localhost')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const cause = await fetch(`https://127.0.0.1:${port}`).catch((error: unknown) => error);
    server.close();
    expect(await after(new VoiceError('unavailable', 'x', { cause }))).toMatchObject({
      message: expect.stringMatching(
        /^the certificate of http.* is not trusted: .*NODE_EXTRA_CA_CERTS/,
      ) as string,
    });
  });

  it('is not given where the server has said what is wrong', async () => {
    const busy = new VoiceError('unavailable', 'no media node is serving');
    expect(await after(busy)).toBe(busy);
    const bug = new TypeError('x');
    expect(await after(bug)).toBe(bug);
  });
});
