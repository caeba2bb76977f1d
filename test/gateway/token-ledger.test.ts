import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TokenLedger, type TokenLedgerOptions } from '../../src/gateway/token-ledger.ts';
import { FakeClock } from '../fakes/clock.ts';
import { until } from '../fakes/until.ts';

let directory: string;
let clock: FakeClock;
let opened: TokenLedger[];

function open(options: Partial<TokenLedgerOptions> = {}): TokenLedger {
  const ledger = new TokenLedger({ directory, clock, ...options });
  opened.push(ledger);
  return ledger;
}

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'omnivoice-ledger-')), 'tokens');
  clock = new FakeClock();
  opened = [];
});

afterEach(() => {
  for (const ledger of opened) ledger.close();
  rmSync(join(directory, '..'), { recursive: true });
});

describe('TokenLedger', () => {
  it('lets a token be taken once', () => {
    const ledger = open();
    expect(ledger.isUsed('t1')).toBe(false);
    expect(ledger.take('t1')).toBe('taken');
    expect(ledger.take('t1')).toBe('used');
    expect(ledger.isUsed('t1')).toBe(true);
    expect(ledger.stats).toMatchObject({ taken: 1, replayed: 2 });
  });

  it('holds for every node of the host, and over a restart', () => {
    open().take('t1');
    expect(open().take('t1')).toBe('used');
  });

  it('takes a token back that did not lead to a leg', () => {
    const ledger = open();
    ledger.take('t1');
    ledger.giveBack('t1');
    expect(ledger.take('t1')).toBe('taken');
  });

  it('gives back only what it took itself', () => {
    open().take('t1');
    const other = open();
    other.giveBack('t1');
    expect(other.take('t1')).toBe('used');
  });

  it('never makes a path of a token id', () => {
    open().take('../../outside');
    expect(readdirSync(directory)).toHaveLength(1);
    expect(readdirSync(join(directory, '..'))).toEqual(['tokens']);
  });

  it('remembers a token for twice its life, and then forgets it', async () => {
    const ledger = open();
    ledger.take('t1');
    clock.advance(599_000);
    await ledger.purge();
    expect(ledger.isUsed('t1')).toBe(true);
    clock.advance(31_000);
    await until(() => ledger.stats.purged === 1, 'the purge of an old token');
    expect(readdirSync(directory)).toEqual([]);
    expect(ledger.rememberedTokens).toBe(0);
  });

  it('clears away what older processes left, and nothing younger', async () => {
    const ledger = open();
    const [oldSeconds, youngSeconds] = [clock.unixMs() / 1000 - 700, clock.unixMs() / 1000 - 100];
    writeFileSync(join(directory, 'old'), '');
    utimesSync(join(directory, 'old'), oldSeconds, oldSeconds);
    writeFileSync(join(directory, 'young'), '');
    utimesSync(join(directory, 'young'), youngSeconds, youngSeconds);
    await ledger.purgeLeftovers();
    expect(readdirSync(directory)).toEqual(['young']);
  });

  it('is bounded: beyond its limit it says that it cannot tell', () => {
    const ledger = open({ tokensMax: 2 });
    expect(['t1', 't2', 't3'].map((token) => ledger.take(token))).toEqual(['taken', 'taken', 'unavailable']);
    expect(ledger.stats.refusedFull).toBe(1);
  });

  it('says that it cannot tell where it cannot write', () => {
    const ledger = open();
    rmSync(directory, { recursive: true });
    expect(ledger.take('t1')).toBe('unavailable');
    expect(ledger.stats.failed).toBe(1);
  });

  it('keeps its directory and its files to its own user', () => {
    open().take('t1');
    const file = join(directory, readdirSync(directory)[0]!);
    expect([directory, file].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
  });
});
