import type { AudioFormat } from '../../media/format.ts';
import type { CallerRead, DialectCaller } from '../caller.ts';
import type { ClientDialect, ClientOptions, ClientRequest } from '../client.ts';
import {
  AUDIO,
  IGNORED,
  type Dialect,
  type Inbound,
  type LegStarted,
  type ReadResult,
  type WireMessage,
} from '../dialect.ts';
import { agreedFormat, backendStarted, BackendSession } from './backend-session.ts';
import { backendUrl, keyHeader } from './backend-url.ts';
import { BACKEND_CAPABILITIES } from './capabilities.ts';

const CLEAR: ReadResult = { type: 'command', id: null, name: 'clear', args: {} };
const HUNG_UP: ReadResult = { type: 'hung_up', reason: 'peer' };

/**
 * A bot that was written for a telephony provider, as an agent: we call it as that provider would. What it
 * asks of the provider (marks, clear, digits, a transfer) it asks of the call.
 */
export function asProvider(dialect: Dialect): ClientDialect {
  const { name, options, formats, capabilities } = dialect;
  const { messageFrames, unverified } = capabilities;
  return {
    name,
    // A bot that closes its stream has hung up, whatever its provider would make of it.
    capabilities: { ...BACKEND_CAPABILITIES, messageFrames, unverified, dtmfOut: true, closeEnds: true },
    options,
    formats,
    openClient: (client) => new ProviderSession(dialect, client),
  };
}

/** The provider's side of one call to a bot. */
export class ProviderSession extends BackendSession {
  readonly request: ClientRequest;
  readonly startedAtOpen?: LegStarted;
  readonly #caller: DialectCaller;
  readonly #format: AudioFormat;
  #hasStarted = false;
  #index = 0;
  #audioIsBinary = false;

  constructor(dialect: Dialect, options: ClientOptions) {
    super();
    const { nowMs, from, to, parameters, streamId, callId, url, apiKey } = options;
    this.#format = agreedFormat(options.format, dialect.formats);
    this.#caller = dialect.openCaller({
      nowMs,
      from,
      to,
      parameters,
      streamId,
      callId,
      format: this.#format,
      options: options.options,
      rtpHeaders: false,
      wantsEvents: false,
    });
    const { upgradeHeaders, subprotocols } = this.#caller;
    this.request = {
      url: backendUrl(url, null),
      headers: { ...upgradeHeaders, ...keyHeader(apiKey, 'Authorization', 'Bearer') },
      subprotocols,
    };
    if (!this.#caller.waitsForReady) this.startedAtOpen = this.#start();
  }

  /** As its last message was: some protocols hear one kind and say the other. */
  get audioIsBinary(): boolean {
    return this.#audioIsBinary;
  }

  hello(): readonly WireMessage[] {
    return this.#caller.hello();
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const said = this.#caller.read(message, isBinary, into);
    if (said.type !== 'audio') return this.#meaningOf(said);
    return this.#hasStarted && into.payloadBytes > 0 ? AUDIO : IGNORED;
  }

  writeAudio(frame: Uint8Array): Uint8Array | undefined {
    const message = this.#caller.audio(frame, this.#index++);
    if (message === undefined) return undefined;
    this.#audioIsBinary = message.isBinary;
    return message.bytes;
  }

  skipAudio(): void {
    this.#index++;
  }

  /** Providers say of a mark that it was played, and no more. */
  writeMarkPlayed(name: string, _playedMs: number | null): WireMessage | undefined {
    return this.#caller.markPlayed(name);
  }

  override writeDtmf(digit: string): WireMessage | undefined {
    return this.#caller.dtmf(digit).at(-1);
  }

  override writeEnd(): WireMessage | undefined {
    return this.#caller.goodbye().at(-1);
  }

  #start(): LegStarted {
    this.#hasStarted = true;
    return backendStarted(null, this.#format, this.#format);
  }

  #meaningOf(said: Exclude<CallerRead, typeof AUDIO>): ReadResult {
    switch (said.type) {
      case 'ready':
        return this.#hasStarted ? IGNORED : this.#start();
      case 'mark':
        return { type: 'command', id: null, name: 'mark', args: { name: said.name } };
      case 'clear':
        return CLEAR;
      case 'dtmf':
        return { type: 'command', id: null, name: 'dtmf', args: { digits: said.digit } };
      case 'transfer':
        return { type: 'command', id: null, name: 'transfer', args: { to: said.target } };
      case 'ended':
        return HUNG_UP;
      case 'reply':
      case 'refusal':
        return said;
      // `audio` is told apart before; events are the provider's, and a bot has nowhere to go to.
      default:
        return IGNORED;
    }
  }
}
