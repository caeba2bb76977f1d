import { describe, expect, it } from 'vitest';
import { parseEgressAllow } from '../../../src/delivery/wire/guard.ts';
import { ResolveError } from '../../../src/delivery/wire/resolver.ts';
import { answers } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { aSender, receiverThat, request } from './a-sender.ts';

describe('the guard on connect', () => {
  const NOTHING = parseEgressAllow([]);

  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '[::]',
  ])('blocks the literal %s, for which no name is asked', async (host) => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender({
      allow: NOTHING,
      resolver: {
        resolve: async () => {
          throw new Error('nobody asks');
        },
      },
    });
    const { attempt } = await sender.send(request({ url: `http://${host}:${receiver.port}/` }));
    expect(attempt.errorClass).toBe('blocked');
    expect(receiver.connections).toBe(0);
  });

  it('blocks a name that leads inside', async () => {
    const receiver = await receiverThat(answers.status(200));
    const sender = aSender({ allow: NOTHING, resolver: { resolve: async () => ['127.0.0.1', '::1'] } });
    const { attempt } = await sender.send(request({ url: `http://innocent.example:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: 'blocked', resolvedAddress: null });
    expect(attempt.errorDetail).toContain('127.0.0.1');
    expect(receiver.connections).toBe(0);
  });

  it('connects to what it judged: a second answer for the name is neither asked for nor used', async () => {
    const receiver = await receiverThat(answers.status(200));
    const script = [['127.0.0.1'], ['127.0.0.2']];
    let asked = 0;
    const sender = aSender({
      allow: parseEgressAllow(['127.0.0.1']),
      resolver: { resolve: async () => script[Math.min(asked++, 1)]! },
    });
    const url = `http://rebinding.example:${receiver.port}/`;
    expect((await sender.send(request({ url }))).attempt.resolvedAddress).toBe('127.0.0.1');
    expect(asked).toBe(1);
    // A new connection asks again, and is judged again.
    sender.forget('whk_1');
    expect((await sender.send(request({ url }))).attempt.errorClass).toBe('blocked');
  });

  it('takes the permitted ones of mixed answers', async () => {
    const receiver = await receiverThat(answers.status(200));
    const resolver = { resolve: async () => ['169.254.169.254', '127.0.0.1', '10.0.0.1'] };
    const { attempt } = await aSender({ resolver }).send(request({ url: `http://mixed:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: null, resolvedAddress: '127.0.0.1' });
  });

  it('judges the peer of the socket too: a permitted address may lead to another', async () => {
    const receiver = await receiverThat(answers.status(200));
    // The kernel connects 0.0.0.0 to 127.0.0.1.
    const sender = aSender({
      allow: parseEgressAllow(['0.0.0.0']),
      resolver: { resolve: async () => ['0.0.0.0'] },
    });
    const { attempt } = await sender.send(request({ url: `http://any.example:${receiver.port}/` }));
    expect(attempt).toMatchObject({ errorClass: 'blocked', status: null });
    expect(attempt.errorDetail).toContain('127.0.0.1');
    expect(receiver.received).toHaveLength(0);
  });

  it('tells a name that does not resolve from one that may not be reached', async () => {
    const resolver = {
      resolve: async (): Promise<never> => {
        throw new ResolveError('unavailable', 'ENOTFOUND');
      },
    };
    const { attempt } = await aSender({ resolver }).send(request({ url: 'http://nowhere.example/' }));
    expect(attempt.errorClass).toBe('dns_error');
  });

  it('gives up on a silent name server, and sends nothing when it answers after all', async () => {
    const receiver = await receiverThat(answers.status(200));
    let answer: (addresses: string[]) => void = () => undefined;
    const resolver = { resolve: () => new Promise<string[]>((resolve) => (answer = resolve)) };
    const sender = aSender({ resolver });
    const url = `http://slow.example:${receiver.port}/`;
    const { attempt } = await sender.send(request({ url, timeoutMs: 100 }));
    expect(attempt.errorClass).toBe('timeout_connect');
    answer(['127.0.0.1']);
    await until(() => receiver.connections === 1);
    await until(() => receiver.openConnections === 0);
    expect(receiver.received).toHaveLength(0);
  });

  it('sends nothing to what is no HTTP URL', async () => {
    for (const url of ['ftp://127.0.0.1/', 'nonsense']) {
      expect((await aSender().send(request({ url }))).attempt).toMatchObject({
        errorClass: 'other',
        status: null,
      });
    }
  });
});
