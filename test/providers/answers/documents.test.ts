import plivo from 'plivo';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import type { AnswerPlan } from '../../../src/providers/answers/answer-plan.ts';
import { ANSWERED_DIALECTS, languageOf } from '../../../src/providers/answers/languages.ts';

const { twiml } = twilio;

/** What is used here of its builder, which has no types. */
interface PlivoResponse {
  addStream(url: string, attributes: object): void;
  addRedirect(url: string, attributes: object): void;
  addDial(attributes: object): { addNumber(to: string): void; addUser(to: string): void };
  toXML(): string;
}

const PLAN: AnswerPlan = {
  streamUrls: ['wss://a.example.com/media/x/secret', 'wss://b.example.com/media/x/secret'],
  parameters: { from: '+15550100', to: '+15550199' },
  againUrl: 'https://voice.example.com/answer?round=1&call=CA1',
  statusUrl: 'https://voice.example.com/status?round=1&call=CA1',
  verify: {},
  options: {},
};
const HOSTILE = '"/><Hangup/>&<![CDATA[ ]]>\u0000\u001b\ud800\\"}],[{"action":"talk"';

const connect = (dialect: string, change: Partial<AnswerPlan> = {}): string =>
  languageOf(dialect)!.connect({ ...PLAN, ...change }).text;

/** What a reader of XML sees, whatever it was spelled like. */
const read = (xml: string): string =>
  xml
    .replace(/<\?xml[^>]*\?>\s*/, '')
    .replaceAll('/>', ' />')
    .replaceAll('  ', ' ');

describe('a document for a call', () => {
  it('is to the letter what Twilio’s own library builds', () => {
    const response = new twiml.VoiceResponse();
    for (const url of PLAN.streamUrls) {
      const stream = response.connect().stream({ url, statusCallback: PLAN.statusUrl });
      for (const [name, value] of Object.entries(PLAN.parameters)) stream.parameter({ name, value });
    }
    response.redirect({ method: 'POST' }, PLAN.againUrl);
    expect(read(connect('twilio'))).toBe(read(response.toString()));
    const over = new twiml.VoiceResponse();
    over.hangup();
    expect(read(languageOf('twilio')!.hangUp().text)).toBe(read(over.toString()));
  });

  it.each([
    ['+15550123', null],
    ['+15550123', '+15550100'],
    ['sip:a&b@example.com', '+15550100'],
  ])('dials %s, showing %s, as Twilio’s and Plivo’s own libraries do', (to, from) => {
    const shown = from === null ? {} : { callerId: from };
    const isSip = to.startsWith('sip:');
    const dial = new twiml.VoiceResponse();
    if (isSip) dial.dial(shown).sip(to);
    else dial.dial(shown).number(to);
    for (const dialect of ['twilio', 'signalwire', 'telnyx']) {
      expect(read(languageOf(dialect)!.dial!({ to, from }).text)).toBe(read(dial.toString()));
    }
    const response = Reflect.construct(plivo.Response, []) as PlivoResponse;
    const plivoDial = response.addDial(shown);
    if (isSip) plivoDial.addUser(to);
    else plivoDial.addNumber(to);
    expect(read(languageOf('plivo')!.dial!({ to, from }).text)).toBe(read(response.toXML()));
  });

  it('dials in jambonz’ verbs', () => {
    const dialled = (to: string, from: string | null): unknown =>
      JSON.parse(languageOf('jambonz')!.dial!({ to, from }).text);
    expect(dialled('+15550123', '+15550100')).toEqual([
      { verb: 'dial', callerId: '+15550100', target: [{ type: 'phone', number: '+15550123' }] },
    ]);
    expect(dialled('sip:a@example.com', null)).toEqual([
      { verb: 'dial', target: [{ type: 'sip', sipUri: 'sip:a@example.com' }] },
    ]);
  });

  it('escapes as Twilio’s own library does', () => {
    const value = `<a href="x">&'`;
    const response = new twiml.VoiceResponse();
    response
      .connect()
      .stream({ url: 'wss://a/', statusCallback: PLAN.statusUrl })
      .parameter({ name: 'from', value });
    response.redirect({ method: 'POST' }, PLAN.againUrl);
    const ours = connect('twilio', { streamUrls: ['wss://a/'], parameters: { from: value } });
    expect(read(ours).replaceAll('&gt;', '>')).toBe(read(response.toString()).replaceAll('&gt;', '>'));
  });

  it('is to the letter what Plivo’s own library builds', () => {
    const response = Reflect.construct(plivo.Response, []) as PlivoResponse;
    for (const url of PLAN.streamUrls) {
      response.addStream(url, {
        bidirectional: 'true',
        keepCallAlive: 'true',
        audioTrack: 'inbound',
        contentType: 'audio/x-mulaw;rate=8000',
        extraHeaders: 'from=+15550100,to=+15550199',
        statusCallbackUrl: PLAN.statusUrl,
        statusCallbackMethod: 'POST',
      });
    }
    response.addRedirect(PLAN.againUrl, { method: 'POST' });
    expect(read(connect('plivo'))).toBe(read(response.toXML()));
  });

  it('sends SignalWire and Bandwidth what their streams must prove', () => {
    expect(connect('signalwire', { verify: { bearer: 'a "b"' } })).toContain(
      'authBearerToken="a &quot;b&quot;"',
    );
    const basic = { username: 'u', password: 'p&q' };
    expect(connect('bandwidth', { verify: { basic } })).toContain(
      'destinationUsername="u" destinationPassword="p&amp;q"',
    );
  });

  it('names each of Bandwidth’s streams differently, and waits for the end of each', () => {
    const names = [...connect('bandwidth').matchAll(/<(\w+) name="(s\d)"/g)].map(([, verb, name]) => [
      verb,
      name,
    ]);
    expect(names).toEqual([
      ['StartStream', 's1'],
      ['StopStream', 's1'],
      ['StartStream', 's2'],
      ['StopStream', 's2'],
    ]);
  });

  it('tells Telnyx that the stream goes both ways, in the codec of the credential', () => {
    const text = connect('telnyx', { options: { outbound_codec: 'PCMA' } });
    expect(text).toContain('bidirectionalMode="rtp" bidirectionalCodec="PCMA"');
  });

  it('connects Vonage once, and asks for its events in turn', () => {
    const [action, ...more] = JSON.parse(
      connect('vonage', { verify: { signature_secret: 's' } }),
    ) as object[];
    expect(more).toEqual([]);
    expect(action).toEqual({
      action: 'connect',
      eventType: 'synchronous',
      eventUrl: [PLAN.statusUrl],
      endpoint: [
        {
          type: 'websocket',
          uri: PLAN.streamUrls[0],
          'content-type': 'audio/l16;rate=16000',
          headers: PLAN.parameters,
          authorization: { type: 'vonage' },
        },
      ],
    });
  });

  it('keeps what Vonage and Plivo are told within their 512 bytes, and cuts no value', () => {
    const parameters = { from: '+15550100', long: 'x'.repeat(600), to: '+15550199' };
    const [{ endpoint }] = JSON.parse(connect('vonage', { parameters })) as [
      { endpoint: [{ headers: object }] },
    ];
    expect(endpoint[0].headers).toEqual({ from: '+15550100', to: '+15550199' });
    expect(connect('plivo', { parameters })).toContain('extraHeaders="from=+15550100,to=+15550199"');
  });

  it('has jambonz listen, listen again and then ask', () => {
    const verbs = JSON.parse(connect('jambonz')) as readonly {
      verb: string;
      actionHook: string;
      url?: string;
    }[];
    expect(verbs.map(({ verb, actionHook }) => [verb, actionHook])).toEqual([
      ['listen', PLAN.againUrl],
      ['listen', PLAN.againUrl],
      ['redirect', PLAN.againUrl],
    ]);
    expect(verbs.map(({ url }) => url)).toEqual([...PLAN.streamUrls, undefined]);
  });

  it('is the bare URL for Exotel', () => {
    expect(JSON.parse(connect('exotel'))).toEqual({ url: PLAN.streamUrls[0] });
  });

  it('goes by the content type of its language', () => {
    const types = ANSWERED_DIALECTS.map((dialect) => [dialect, languageOf(dialect)!.hangUp().contentType]);
    const json = ['vonage', 'jambonz', 'exotel'];
    for (const [dialect, type] of types) {
      const expected = json.includes(dialect!)
        ? 'application/json; charset=utf-8'
        : 'text/xml; charset=utf-8';
      expect([dialect, type]).toEqual([dialect, expected]);
    }
  });

  /** Elements or actions of a document, as its reader sees them. */
  const verbsIn = (text: string, isJson: boolean): readonly (string | undefined)[] =>
    isJson
      ? [JSON.parse(text) as object].flat().map((verb) => Object.values(verb as { a?: string })[0])
      : [...text.matchAll(/<(\w+)/g)].map(([, verb]) => verb);

  for (const dialect of ANSWERED_DIALECTS) {
    it(`lets no value of a stranger become a verb of ${dialect}`, () => {
      const calm = connect(dialect);
      const hostile = connect(dialect, {
        parameters: { from: HOSTILE, to: HOSTILE },
        againUrl: `https://h/?a=${HOSTILE}`,
        statusUrl: `https://h/?b=${HOSTILE}`,
      });
      const isJson = !calm.startsWith('<');
      const hostileVerbs = verbsIn(hostile, isJson).filter((verb) => verb !== 'Parameter');
      const calmVerbs = verbsIn(calm, isJson).filter((verb) => verb !== 'Parameter');
      expect(hostileVerbs).toEqual(calmVerbs);
      expect([hostile.includes('\u0000'), hostile.isWellFormed()]).toEqual([false, true]);
    });
  }
});
