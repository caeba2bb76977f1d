import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/delivery/outbox.ts';
import { answers } from '../../fakes/hook-receiver.ts';
import { aSender, receiverThat, request } from './a-sender.ts';

describe('a token', () => {
  const auth: Endpoint['auth'] = {
    kind: 'oauth2',
    tokenUrl: 'https://id.example/token',
    clientId: 'me',
    clientSecret: 'hidden',
    scope: null,
    audience: null,
    clientAuth: 'basic',
  };

  /** Tokens 1, 2, 3 …: another one after each refusal. */
  class Tokens {
    issued = 1;
    readonly asked: string[] = [];

    async authorizationFor(): Promise<{ value: string }> {
      this.asked.push(`Bearer ${this.issued}`);
      return { value: `Bearer ${this.issued}` };
    }

    refused(_endpoint: Endpoint, value: string): void {
      if (value === `Bearer ${this.issued}`) this.issued++;
    }
  }

  it.each([401, 403, 407])('that is answered with %i is renewed once, within the attempt', async (status) => {
    const receiver = await receiverThat(answers.inTurn(answers.status(status), answers.status(200)));
    const sender = aSender({ authorizer: new Tokens() });
    const { attempt } = await sender.send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: 200, errorClass: null, number: 1 });
    expect(receiver.received.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer 1',
      'Bearer 2',
    ]);
    expect(attempt.requestHeaders['authorization']).toBe('***');
  });

  it('that is never good enough costs two requests an attempt', async () => {
    const receiver = await receiverThat(answers.status(401));
    const sender = aSender({ authorizer: new Tokens() });
    const { attempt } = await sender.send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: 401, errorClass: 'http_4xx' });
    expect(receiver.received).toHaveLength(2);
  });

  it.each([
    [
      'cannot be had',
      { authorizer: { authorizationFor: async () => ({ failure: 'idp is down' }), refused() {} } },
    ],
    ['nobody asks for', {}],
  ])('that %s is a failed attempt, and nothing is sent without it', async (_why, options) => {
    const receiver = await receiverThat(answers.status(200));
    const { attempt, sentAtMs } = await aSender(options).send(request({ url: receiver.url(), auth }));
    expect(attempt).toMatchObject({ status: null, errorClass: 'auth_error' });
    expect(sentAtMs).toBeNull();
    expect(receiver.received).toHaveLength(0);
  });
});
