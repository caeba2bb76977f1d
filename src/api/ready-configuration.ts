import type { StoredCredential } from './ports.ts';

/** What is put into the provider's own configuration, to the letter, and what it is called there. */
export interface ReadyConfiguration {
  readonly kind: string;
  readonly text: string;
}

type Terms = Pick<StoredCredential, 'verify' | 'options'>;
type Writer = (url: string, terms: Terms) => ReadyConfiguration;

/** Held to the pages that docs/providers names; a dialect that is not here has no text of its own. */
const WRITERS: Readonly<Record<string, Writer>> = {
  // `<Connect><Stream>` is the bidirectional one (Twilio, TwiML `<Stream>`).
  twilio: (url) => xml('twiml', `<Connect><Stream url="${escaped(url)}"/></Connect>`),
  fonoster: (url) => xml('twiml', `<Connect><Stream url="${escaped(url)}"/></Connect>`),
  signalwire: (url, { verify }) => {
    const bearer = verify?.bearer === undefined ? '' : ` authBearerToken="${escaped(verify.bearer)}"`;
    return xml('cxml', `<Connect><Stream url="${escaped(url)}"${bearer}/></Connect>`);
  },
  telnyx: (url, { options }) => {
    const codec = escaped(options?.['outbound_codec'] ?? 'PCMU');
    const stream = `<Stream url="${escaped(url)}" bidirectionalMode="rtp" bidirectionalCodec="${codec}"/>`;
    return xml('texml', `<Connect>${stream}</Connect>`);
  },
  plivo: (url) => plivoXml(url),
  vobiz: (url) => plivoXml(url),
  bandwidth: (url, { verify }) => {
    const { username, password } = verify?.basic ?? {};
    const user = username === undefined ? '' : ` destinationUsername="${escaped(username)}"`;
    const secret = password === undefined ? '' : ` destinationPassword="${escaped(password)}"`;
    const attributes = `mode="bidirectional" tracks="inbound" destination="${escaped(url)}"${user}${secret}`;
    // It keeps the call while the stream runs.
    return xml('bxml', `<StartStream name="s1" ${attributes}/><StopStream name="s1" wait="true"/>`);
  },
  vonage: (uri, { verify }) => {
    const authorization = verify?.signature_secret === undefined ? {} : { authorization: { type: 'vonage' } };
    const content = { 'content-type': 'audio/l16;rate=16000' };
    const endpoint = [{ type: 'websocket', uri, ...content, ...authorization }];
    return json('ncco', [{ action: 'connect', endpoint }]);
  },
  jambonz: (url, { verify }) => {
    const wsAuth = verify?.basic === undefined ? {} : { wsAuth: verify.basic };
    const bidirectionalAudio = { enabled: true, streaming: true, sampleRate: 16_000 };
    return json('jambonz_verb', [
      {
        verb: 'listen',
        url,
        sampleRate: 16_000,
        mixType: 'mono',
        passDtmf: true,
        bidirectionalAudio,
        ...wsAuth,
      },
    ]);
  },
  asterisk: (url, { verify }) => ({
    kind: 'websocket_client.conf',
    text: asteriskSection(url, verify?.basic),
  }),
  mod_audio_stream: (url) => ({
    kind: 'freeswitch_api',
    text: `uuid_audio_stream \${uuid} start ${url} mono 16k {"sampleRate":16000,"uuid":"\${uuid}"}`,
  }),
  exotel: (url) => ({ kind: 'voicebot_applet_url', text: url }),
};

/** The provider's own configuration for a fresh credential; undefined where it has none but the URL. */
export function readyConfiguration(
  dialect: string,
  url: string,
  terms: Terms = {},
): ReadyConfiguration | undefined {
  return Object.hasOwn(WRITERS, dialect) ? WRITERS[dialect]?.(url, terms) : undefined;
}

function plivoXml(url: string): ReadyConfiguration {
  const attributes = 'bidirectional="true" keepCallAlive="true" audioTrack="inbound"';
  return xml(
    'plivo_xml',
    `<Stream ${attributes} contentType="audio/x-mulaw;rate=8000">${escaped(url)}</Stream>`,
  );
}

function asteriskSection(
  uri: string,
  basic: { readonly username: string; readonly password: string } | undefined,
): string {
  const login = basic === undefined ? [] : [`username = ${basic.username}`, `password = ${basic.password}`];
  return [
    '[omnivoice]',
    'type = websocket_client',
    'connection_type = per_call_config',
    `uri = ${uri}`,
    'protocols = media',
    ...login,
    `tls_enabled = ${uri.startsWith('wss:') ? 'yes' : 'no'}`,
    '',
    '; extensions.conf: same => n,Dial(WebSocket/omnivoice/c(slin16)f(json))',
    '',
  ].join('\n');
}

function xml(kind: string, body: string): ReadyConfiguration {
  return { kind, text: `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${body}</Response>` };
}

function json(kind: string, value: unknown): ReadyConfiguration {
  return { kind, text: JSON.stringify(value, null, 2) };
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
