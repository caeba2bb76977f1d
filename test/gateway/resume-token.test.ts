import { createHmac } from 'node:crypto';
import { assert, base64String, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResumeTokens, type ResumeClaims } from '../../src/gateway/resume-token.ts';

const OLD = Buffer.from('an old secret');
const NEW = Buffer.from('a new secret');
const NOW = Date.UTC(2026, 10, 20, 12);
const CLAIMS: ResumeClaims = {
  callId: 'call_06CQ7Z8Q1WQ3N5V9',
  legId: 'leg_06CQ7Z8Q1WQ3N5VA',
  dialect: 'native',
  format: 'pcmu/8000',
  generation: 3,
  region: 'local',
  fence: null,
  expiresAtUnixMs: NOW + 330_000,
};

describe('ResumeTokens', () => {
  it('gives back what was minted', () => {
    const tokens = new ResumeTokens([NEW]);
    expect(tokens.verify(tokens.mint(CLAIMS), NOW)).toEqual(CLAIMS);
    const fenced = { ...CLAIMS, fence: 1_700_000_000_000_001 };
    expect(tokens.verify(tokens.mint(fenced), NOW)).toEqual(fenced);
  });

  it('goes in a path and in a subprotocol: its characters are those of base64url, and a dot', () => {
    const token = new ResumeTokens([NEW]).mint(CLAIMS);
    expect(token).toMatch(/^eyJ[\w-]+\.[\w-]{22}$/);
    expect(token.length).toBeLessThan(256);
  });

  it('believes every secret of the ring, and signs with the newest', () => {
    const before = new ResumeTokens([OLD]);
    const rotated = new ResumeTokens([NEW, OLD]);
    expect(rotated.verify(before.mint(CLAIMS), NOW)).toEqual(CLAIMS);
    expect(before.verify(rotated.mint(CLAIMS), NOW)).toBeUndefined();
  });

  it('ends with its time', () => {
    const tokens = new ResumeTokens([NEW]);
    const token = tokens.mint(CLAIMS);
    expect(tokens.verify(token, CLAIMS.expiresAtUnixMs - 1)).toEqual(CLAIMS);
    expect(tokens.verify(token, CLAIMS.expiresAtUnixMs)).toBeUndefined();
  });

  it('is not signed with the secret itself, so that no other use of it makes a resume token', () => {
    const tokens = new ResumeTokens([NEW]);
    const body = tokens.mint(CLAIMS).split('.')[0]!;
    const mac = createHmac('sha256', NEW).update(body).digest().subarray(0, 16).toString('base64url');
    expect(tokens.verify(`${body}.${mac}`, NOW)).toBeUndefined();
  });

  it('believes no token of which a single character was changed', () => {
    const tokens = new ResumeTokens([NEW]);
    const token = tokens.mint(CLAIMS);
    // The last character of 22 carries four bits of the MAC and two of nothing.
    for (let at = 0; at < token.length - 1; at++) {
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(tokens.verify(changed, NOW), `character ${at}`).toBeUndefined();
    }
  });

  it('refuses whatever else is shown to it, without throwing', () => {
    const tokens = new ResumeTokens([NEW]);
    const text = oneof(string(), base64String());
    assert(property(text, (shown) => tokens.verify(shown, NOW) === undefined));
    expect(tokens.verify('.', NOW)).toBeUndefined();
    expect(tokens.verify('a'.repeat(100_000), NOW)).toBeUndefined();
  });
});
