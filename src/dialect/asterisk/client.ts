import { VoiceError } from '../../base/errors.ts';
import type { ClientDialect, ClientOptions, ClientRequest, ClientSession } from '../client.ts';
import type { DialectSession, Inbound, ReadResult, WireMessage } from '../dialect.ts';
import { LISTEN_ONLY } from '../json-media/stream/options.ts';
import { ASTERISK_CAPABILITIES } from './capabilities.ts';
import { ASTERISK_FORMATS } from './format.ts';
import { ANSWER, MARKS } from './options.ts';
import { openAsteriskSession } from './session.ts';

/**
 * Asterisk's chan_websocket, dialled by us: `Dial(WebSocket/INCOMING/…)` waits under an id that it tells in
 * `MEDIA_WEBSOCKET_CONNECTION_ID`; the target is `ws://asterisk:8088/media/<id>`.
 */
export const asteriskIncomingDialect: ClientDialect = {
  name: 'asterisk-incoming',
  capabilities: ASTERISK_CAPABILITIES,
  options: [MARKS, ANSWER, LISTEN_ONLY],
  formats: ASTERISK_FORMATS,
  openClient: (options) => new AsteriskIncoming(options),
};

class AsteriskIncoming implements ClientSession {
  readonly request: ClientRequest;
  readonly audioIsBinary = true;
  readonly endGraceMs: number;
  readonly #session: DialectSession;

  constructor({ url, apiKey, options }: ClientOptions) {
    this.request = { url: targetOf(url), headers: headersOf(apiKey), subprotocols: ['media'] };
    const upgrade = { method: 'GET', headers: {}, target: '/', urls: [] };
    this.#session = openAsteriskSession({ upgrade, options });
    this.endGraceMs = this.#session.endGraceMs ?? 0;
  }

  /** It speaks first. */
  hello(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    return this.#session.read(message, isBinary, into);
  }

  writeAudio(frame: Uint8Array): Uint8Array | undefined {
    return this.#session.writeAudio(frame);
  }

  flushAudio(): Uint8Array | undefined {
    return this.#session.flushAudio?.();
  }

  writeMark(name: string): WireMessage | undefined {
    return this.#session.writeMark(name);
  }

  writeClear(): WireMessage | undefined {
    return this.#session.writeClear();
  }

  /** Said as soon as it has started, where the channel is ours to answer. */
  writeStarted(facts: Parameters<DialectSession['writeStarted']>[0]): WireMessage | undefined {
    return this.#session.writeStarted(facts);
  }

  writeEnd(reason: string): WireMessage | undefined {
    return this.#session.writeEnd(reason);
  }

  writeDtmf(): undefined {}
  writeEvent(): undefined {}
  writeAnswer(): undefined {}
  writeGoaway(): undefined {}
}

/** An id that nobody waits under is answered with 404, one that was taken with 409. */
function targetOf(url: string | null): string {
  const target = url !== null && URL.canParse(url) ? new URL(url) : undefined;
  if (target !== undefined && /^wss?:$/.test(target.protocol) && /\/media\/[^/]+$/.test(target.pathname)) {
    return target.href;
  }
  const message = 'the target is ws://<asterisk>:8088/media/<MEDIA_WEBSOCKET_CONNECTION_ID>';
  throw new VoiceError('invalid_argument', message, { field: 'url' });
}

/** `user:password`, where Asterisk's HTTP server stands behind one that asks for it. */
function headersOf(apiKey: string | null): ClientRequest['headers'] {
  if (apiKey === null) return {};
  return { authorization: `Basic ${Buffer.from(apiKey).toString('base64')}` };
}
