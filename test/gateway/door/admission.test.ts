import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '../../../src/base/errors.ts';
import { mintSessionToken } from '../../../src/base/session-token.ts';
import { signTwilioUrl } from '../../../src/dialect/twilio/signature.ts';
import type { ResumeClaims } from '../../../src/gateway/resume-token.ts';
import { openDoor, sessionClaims, type Door } from '../../fakes/gateway-house.ts';
import { ask, faultOf, UPGRADE_HEADERS, visit, type Answer } from '../../fakes/gateway-visitors.ts';

let door: Door;
beforeEach(async () => {
  door = await openDoor({ trustedProxies: ['127.0.0.1'], publicMediaUrls: ['wss://media.example.com'] });
});
afterEach(() => door.gateway.close());

function upgrade(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return ask(door.gateway.ownPort, path, { method, headers: { ...UPGRADE_HEADERS, ...headers } });
}

/** Status and fault of a refusal that has the form of the API's errors. */
function refusalOf(answer: Answer): [number, string] {
  const envelope = JSON.parse(answer.body) as { success: boolean; meta: { request_id: string } };
  expect(envelope.success).toBe(false);
  expect(envelope.meta.request_id).toMatch(/^req_/);
  return [answer.status, faultOf(answer)];
}

describe('an upgrade', () => {
  it('is let in with a stream credential', async () => {
    expect((await upgrade('/media/twilio/sc_secret')).status).toBe(101);
    expect(door.gateway.stats.upgradesAccepted).toBe(1);
  });

  it('is refused before the upgrade with a wrong, missing or foreign credential', async () => {
    door.addCredential('sc_native', { dialect: 'native' });
    for (const secret of ['wrong', '', 'sc_native', '%73c_secret']) {
      expect(refusalOf(await upgrade(`/media/twilio/${secret}`))).toEqual([401, 'unauthenticated']);
    }
    expect(door.gateway.stats.refusedByFault.unauthenticated).toBe(4);
  });

  it('is not found on other paths and for dialects nobody speaks', async () => {
    for (const path of ['/', '/media', '/media/klingon/sc_secret', '/media/twilio/a/b', '/healthz']) {
      expect(refusalOf(await upgrade(path))).toEqual([404, 'not_found']);
    }
  });

  it('is told to come again where no new leg is taken', async () => {
    for (const fault of ['overloaded', 'draining'] as const) {
      door.arrivals.refusal = refuse(fault, 'not now');
      const answer = await upgrade('/media/twilio/sc_secret');
      expect(refusalOf(answer)).toEqual([503, fault]);
      expect(answer.headers['retry-after']).toBe('1');
    }
  });

  it('is refused when it is malformed', async () => {
    const malformed = [
      { 'Sec-WebSocket-Key': 'short' },
      { 'Sec-WebSocket-Version': '12' },
      { 'Sec-WebSocket-Protocol': 'a,,b' },
      { 'Sec-WebSocket-Protocol': 'a, a' },
    ];
    for (const headers of malformed) {
      expect(refusalOf(await upgrade('/media/twilio/sc_secret', headers))).toEqual([400, 'invalid_argument']);
    }
    expect(refusalOf(await upgrade('/media/twilio/sc_secret', {}, 'POST'))).toEqual([
      405,
      'invalid_argument',
    ]);
    expect(refusalOf(await ask(door.gateway.ownPort, '/media/twilio/sc_secret'))).toEqual([
      400,
      'invalid_argument',
    ]);
  });

  it('treats a wish for another protocol as a plain request', async () => {
    const h2c = { Connection: 'Upgrade', Upgrade: 'h2c' };
    expect((await ask(door.gateway.ownPort, '/healthz', { headers: h2c })).status).toBe(200);
  });

  it('never agrees to compression', async () => {
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits=9' };
    const answer = await upgrade('/media/twilio/sc_secret', offer);
    expect([answer.status, answer.headers['sec-websocket-extensions']]).toEqual([101, undefined]);
  });
});

describe('a subprotocol', () => {
  it('is ours where it is offered, also beside a token', async () => {
    const token = await door.mintSession('t1');
    const visitor = await visit(`${door.url}/media/native`, ['omnivoice.v1', token]);
    expect(visitor.socket.protocol).toBe('omnivoice.v1');
    visitor.leave();
  });

  it('is the token itself where only that was offered', async () => {
    const token = await door.mintSession('t1');
    const visitor = await visit(`${door.url}/media/native`, [token]);
    expect(visitor.socket.protocol).toBe(token);
    visitor.leave();
  });

  it('is given back to a provider whose protocol has none', async () => {
    const visitor = await visit(`${door.url}/media/twilio/sc_secret`, ['chat', 'other']);
    expect(visitor.socket.protocol).toBe('chat');
    visitor.leave();
  });

  it('of another version is refused, naming ours', async () => {
    const path = `/media/native/${await door.mintSession('t1')}`;
    const answer = await upgrade(path, { 'Sec-WebSocket-Protocol': 'omnivoice.v9' });
    expect(refusalOf(answer)).toEqual([400, 'unsupported_version']);
    expect(answer.body).toContain('omnivoice.v1');
  });
});

describe('a session token', () => {
  it('opens the door in the path', async () => {
    expect((await upgrade(`/media/native/${await door.mintSession('t1')}`)).status).toBe(101);
  });

  it('is refused when it is expired, foreign, forged or used', async () => {
    const nowUnixMs = door.clock.unixMs();
    const good = await door.mintSession('t1');
    const foreign = await mintSessionToken(sessionClaims('t2'), [Buffer.from('elsewhere')], nowUnixMs);
    const expired = await door.mintSession('t3', nowUnixMs - 301_000);
    door.sessions.used.add('t4');
    const used = await door.mintSession('t4');
    const forged = `${good.slice(0, -4)}AAAA`;
    for (const token of [foreign, expired, used, forged, 'eyJ.eyJ.x']) {
      expect(refusalOf(await upgrade(`/media/native/${token}`))).toEqual([401, 'unauthenticated']);
    }
  });

  it('may be shown again after a handshake that failed', async () => {
    const token = await door.mintSession('t1');
    expect((await upgrade(`/media/native/${token}`)).status).toBe(101);
    expect((await upgrade(`/media/native/${token}`)).status).toBe(101);
  });
});

describe('a provider that must prove itself', () => {
  const AUTH_TOKEN = '12345678901234567890123456789012';
  const path = '/media/twilio/sc_signed';

  function signed(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    return upgrade(path, { 'X-Twilio-Signature': signTwilioUrl(url, AUTH_TOKEN), ...headers });
  }

  beforeEach(() => door.addCredential('sc_signed', { verify: { auth_token: AUTH_TOKEN } }));

  it('signs the public URL, what a proxy says, or the URL as it is', async () => {
    const { ownPort } = door.gateway;
    const proxied = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'edge.example.com, inner' };
    expect((await signed(`wss://media.example.com${path}`)).status).toBe(101);
    expect((await signed(`wss://edge.example.com${path}`, proxied)).status).toBe(101);
    expect((await signed(`ws://127.0.0.1:${ownPort}${path}`)).status).toBe(101);
  });

  it('is refused without a signature, with a wrong one, or with that of another path', async () => {
    expect(refusalOf(await upgrade(path))).toEqual([401, 'unauthenticated']);
    const foreign = signed('wss://media.example.com/media/twilio/other');
    expect(refusalOf(await foreign)).toEqual([401, 'unauthenticated']);
  });

  it('is not believed about forwarding unless it is a trusted proxy', async () => {
    const stranger = await openDoor();
    stranger.addCredential('sc_signed', { verify: { auth_token: AUTH_TOKEN } });
    const headers = {
      ...UPGRADE_HEADERS,
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'edge.example.com',
      'X-Twilio-Signature': signTwilioUrl(`wss://edge.example.com${path}`, AUTH_TOKEN),
    };
    const answer = await ask(stranger.gateway.ownPort, path, { headers });
    expect(refusalOf(answer)).toEqual([401, 'unauthenticated']);
    await stranger.gateway.close();
  });

  it('is refused where its dialect has no way to check what the credential demands', async () => {
    door.addCredential('sc_native', { dialect: 'native', verify: { auth_token: AUTH_TOKEN } });
    expect(refusalOf(await upgrade('/media/native/sc_native'))).toEqual([401, 'unauthenticated']);
  });

  it('calls from an allowed address', async () => {
    door.addCredential('sc_listed', { verify: { ip_allow: ['203.0.113.0/24'] } });
    const from = (address: string): Promise<Answer> =>
      upgrade('/media/twilio/sc_listed', { 'X-Forwarded-For': address });
    expect((await from('203.0.113.9')).status).toBe(101);
    expect(refusalOf(await from('198.51.100.9'))).toEqual([401, 'unauthenticated']);
    expect(refusalOf(await upgrade('/media/twilio/sc_listed'))).toEqual([401, 'unauthenticated']);
  });
});

describe('a resume token', () => {
  const CLAIMS: ResumeClaims = {
    callId: 'call_1',
    legId: 'leg_1',
    dialect: 'native',
    format: 'pcmu/8000',
    generation: 1,
    region: 'local',
    fence: null,
    expiresAtUnixMs: Date.UTC(2026, 10, 20, 13),
  };

  it('finds no call where nobody can give one back', async () => {
    const token = door.resumeTokens.mint(CLAIMS);
    expect(refusalOf(await upgrade(`/media/native/r/${token}`))).toEqual([404, 'call_not_found']);
    const offer = { 'Sec-WebSocket-Protocol': `omnivoice.v1, ${token}` };
    expect(refusalOf(await upgrade('/media/native', offer))).toEqual([404, 'call_not_found']);
  });

  it('is refused when it is forged, expired or of another dialect', async () => {
    const expired = door.resumeTokens.mint({ ...CLAIMS, expiresAtUnixMs: door.clock.unixMs() - 1_000 });
    for (const path of ['/media/native/r/', '/media/native/r/eyJ.x', `/media/native/r/${expired}`]) {
      expect(refusalOf(await upgrade(path))).toEqual([401, 'unauthenticated']);
    }
    const foreign = `/media/twilio/r/${door.resumeTokens.mint(CLAIMS)}`;
    expect(refusalOf(await upgrade(foreign))).toEqual([401, 'unauthenticated']);
  });

  it('opens the door where somebody holds the call, also while no new leg is taken', async () => {
    const asked: ResumeClaims[] = [];
    const resumes = {
      resume: (claims: ResumeClaims) => {
        asked.push(claims);
        const { tokenId: _tokenId, region: _region, ...caller } = sessionClaims('none');
        return Promise.resolve({ caller, arrive: door.arrivals.arrive.bind(door.arrivals) });
      },
    };
    const other = await openDoor({ resumes });
    other.arrivals.refusal = refuse('draining', 'not now');
    const path = `/media/native/r/${other.resumeTokens.mint(CLAIMS)}`;
    expect((await ask(other.gateway.ownPort, path, { headers: UPGRADE_HEADERS })).status).toBe(101);
    expect(asked).toEqual([CLAIMS]);
    await other.gateway.close();
  });
});
