import { describe, expect, it } from 'vitest';
import { readyConfiguration } from '../../src/api/ready-configuration.ts';
import { dialectOf } from '../../src/dialect/registry.ts';

const URL = 'wss://media.example/a&b/media/x/secret';
const SPOKEN = [
  ['twilio', 'twiml'],
  ['fonoster', 'twiml'],
  ['signalwire', 'cxml'],
  ['telnyx', 'texml'],
  ['plivo', 'plivo_xml'],
  ['vobiz', 'plivo_xml'],
  ['bandwidth', 'bxml'],
] as const;

describe('a ready configuration', () => {
  it.each(SPOKEN)('of %s is one %s document that names the URL, escaped', (dialect, kind) => {
    const made = readyConfiguration(dialect, URL);
    expect(made?.kind).toBe(kind);
    expect(made?.text).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Response>.*<\/Response>$/);
    expect(made?.text).toContain('wss://media.example/a&amp;b/media/x/secret');
    expect(dialectOf(dialect)).toBeDefined();
  });

  it('of Vonage is an NCCO, which is signed where the credential checks it', () => {
    const plain = JSON.parse(readyConfiguration('vonage', URL)?.text ?? '') as unknown;
    const endpoint = { type: 'websocket', uri: URL, 'content-type': 'audio/l16;rate=16000' };
    expect(plain).toEqual([{ action: 'connect', endpoint: [endpoint] }]);
    const signed = readyConfiguration('vonage', URL, { verify: { signature_secret: 's' } });
    expect(signed?.text).toContain('"authorization"');
    expect(signed?.text).not.toContain('"s"');
  });

  it('carries the proof that the provider is to show', () => {
    const basic = { username: 'u', password: '<"p&' };
    expect(readyConfiguration('bandwidth', URL, { verify: { basic } })?.text).toContain(
      'destinationUsername="u" destinationPassword="&lt;&quot;p&amp;"',
    );
    expect(readyConfiguration('asterisk', URL, { verify: { basic } })?.text).toContain('username = u\n');
    expect(readyConfiguration('signalwire', URL, { verify: { bearer: 'b' } })?.text).toContain(
      'authBearerToken="b"',
    );
    const [verb] = JSON.parse(
      readyConfiguration('jambonz', URL, { verify: { basic } })?.text ?? '',
    ) as object[];
    expect(verb).toMatchObject({ verb: 'listen', url: URL, wsAuth: basic });
  });

  it('of Telnyx names the codec that the credential expects', () => {
    const made = readyConfiguration('telnyx', URL, { options: { outbound_codec: 'G722' } });
    expect(made?.text).toContain('bidirectionalCodec="G722"');
  });

  it('is none where a protocol has none', () => {
    expect(readyConfiguration('native', URL)).toBeUndefined();
    expect(readyConfiguration('constructor', URL)).toBeUndefined();
  });
});
