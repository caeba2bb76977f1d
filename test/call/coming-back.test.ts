import { describe, expect, it } from 'vitest';
import { mayComeBack } from '../../src/call/limits.ts';
import { dialectOf } from '../../src/dialect/registry.ts';
import type { LegStarted } from '../../src/dialect/dialect.ts';

function isWaitedFor(dialect: string, started: Partial<LegStarted>, credentialId: string | null): boolean {
  const { capabilities } = dialectOf(dialect)!;
  const said = { providerCallId: null, bidirectional: true, ...started } as LegStarted;
  return mayComeBack({ role: 'caller', capabilities, started: said }, { credentialId });
}

describe('a caller whose line broke', () => {
  it('is waited for where it has a token of ours', () => {
    expect(isWaitedFor('native', {}, null)).toBe(true);
  });

  it('is waited for where its provider can stream the same call again', () => {
    expect(isWaitedFor('twilio', { providerCallId: 'CA1' }, 'sc_1')).toBe(true);
    expect(isWaitedFor('twilio', {}, 'sc_1')).toBe(false);
    expect(isWaitedFor('twilio', { providerCallId: 'CA1' }, null)).toBe(false);
    expect(isWaitedFor('twilio', { providerCallId: 'CA1', bidirectional: false }, 'sc_1')).toBe(false);
  });

  it('is not waited for where the telephone call went with its stream', () => {
    expect(isWaitedFor('asterisk', { providerCallId: 'chan-1' }, 'sc_1')).toBe(false);
    expect(isWaitedFor('genesys', { providerCallId: 'conv-1' }, 'sc_1')).toBe(false);
  });
});
