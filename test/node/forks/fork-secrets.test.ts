import { describe, expect, it } from 'vitest';
import { NodeForkSecrets } from '../../../src/node/forks/fork-secrets.ts';
import { FakeClock } from '../../fakes/clock.ts';

const [OLD, NEW, STRANGE] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer];
const TEXT = '{"url":"wss://analytics.example/in?token=ä","api_key":null}';

function secretsOf(...secrets: Buffer[]): NodeForkSecrets {
  return new NodeForkSecrets(secrets, new FakeClock({ nowMs: 0, seed: 5 }));
}

describe('what is secret of a fork', () => {
  it('is read by every node that shares the secret, before and after it is changed', () => {
    const sealed = secretsOf(OLD).seal(TEXT, 'fork_1');
    expect(sealed).not.toContain('analytics');
    expect(secretsOf(OLD).open(sealed, 'fork_1')).toBe(TEXT);
    expect(secretsOf(NEW, OLD).open(sealed, 'fork_1')).toBe(TEXT);
  });

  it('is nothing to anybody else, and belongs to one fork', () => {
    const sealed = secretsOf(OLD).seal(TEXT, 'fork_1');
    expect(secretsOf(STRANGE).open(sealed, 'fork_1')).toBeUndefined();
    expect(secretsOf(OLD).open(sealed, 'fork_2')).toBeUndefined();
    const altered = Buffer.from(sealed, 'base64url');
    altered[20]! ^= 1;
    expect(secretsOf(OLD).open(altered.toString('base64url'), 'fork_1')).toBeUndefined();
    expect(secretsOf(OLD).open('', 'fork_1')).toBeUndefined();
    expect(secretsOf(OLD).open('no sealed text at all, and long enough', 'fork_1')).toBeUndefined();
  });
});
