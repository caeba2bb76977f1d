import { describe, expect, it } from 'vitest';
import { dialledUrlsOf } from '../../../src/gateway/door/dialled-urls.ts';

const PLAIN = {
  target: '/media/twilio/s',
  isTls: false,
  host: 'node:8082',
  forwardedProto: undefined,
  forwardedHost: undefined,
};

describe('dialledUrlsOf', () => {
  it('names the URL the request itself was sent to', () => {
    expect(dialledUrlsOf(PLAIN, [])).toEqual(['ws://node:8082/media/twilio/s']);
    expect(dialledUrlsOf({ ...PLAIN, isTls: true }, [])).toEqual(['wss://node:8082/media/twilio/s']);
  });

  it('names the public URLs first, then what a proxy says', () => {
    const forwarded = { ...PLAIN, forwardedProto: 'https', forwardedHost: 'edge.example.com' };
    expect(dialledUrlsOf(forwarded, ['wss://media.example.com/'])).toEqual([
      'wss://media.example.com/media/twilio/s',
      'wss://edge.example.com/media/twilio/s',
      'wss://node:8082/media/twilio/s',
    ]);
  });

  it('names each once', () => {
    expect(dialledUrlsOf(PLAIN, ['ws://node:8082'])).toEqual(['ws://node:8082/media/twilio/s']);
  });

  it('has nothing to name where the request names no host', () => {
    expect(dialledUrlsOf({ ...PLAIN, host: undefined }, [])).toEqual([]);
  });
});
