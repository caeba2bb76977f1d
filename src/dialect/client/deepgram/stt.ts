import { refuse } from '../../../base/errors.ts';
import { isObject, numberOf, parseObject, type JsonObject } from '../../../base/json.ts';
import type { AudioFormat } from '../../../media/format.ts';
import type { ClientDialect, ClientOptions, ClientRequest } from '../../client.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult, type WireMessage } from '../../dialect.ts';
import { textMessage } from '../../text-message.ts';
import { agentError, transcript } from '../agent-words.ts';
import { agreedFormat, backendStarted, BackendSession } from '../backend-session.ts';
import { backendUrl } from '../backend-url.ts';
import { BACKEND_CAPABILITIES } from '../capabilities.ts';
import { deepgramKey } from './agent.ts';
import { DEEPGRAM_FORMATS, encodingOf } from './encodings.ts';
import { TOKEN_SCHEME } from './settings.ts';

const OWN_ADDRESS = 'wss://api.deepgram.com/v1/listen';
const MODEL = 'nova-3';
const KEEP_ALIVE = textMessage({ type: 'KeepAlive' });
const FINALIZE = textMessage({ type: 'Finalize' });
const CLOSE_STREAM = textMessage({ type: 'CloseStream' });

/** Deepgram's streaming recogniser (deepgram-api-specs asyncapi.yml, `/v1/listen`): it only listens. */
export const deepgramSttDialect: ClientDialect = {
  name: 'deepgram-stt',
  // It closes after ten seconds without audio or a word (NET-0001).
  capabilities: { ...BACKEND_CAPABILITIES, keepAliveMs: 5_000 },
  options: [TOKEN_SCHEME],
  formats: DEEPGRAM_FORMATS,
  openClient: (options) => new DeepgramSttSession(options),
};

/** Our side of one stream that is written down. */
class DeepgramSttSession extends BackendSession {
  readonly audioIsBinary = true;
  readonly request: ClientRequest;
  /** It says nothing before it is spoken to. */
  readonly startedAtOpen: LegStarted;
  /** What it has not written down yet comes after `CloseStream`, and then it closes. */
  readonly endGraceMs = 2_000;

  constructor(options: ClientOptions) {
    super();
    const format = agreedFormat(options.format, DEEPGRAM_FORMATS);
    this.startedAtOpen = backendStarted(null, format, format);
    this.request = {
      url: backendUrl(options.url, OWN_ADDRESS, queryOf(options, format)),
      headers: deepgramKey(options),
      subprotocols: [],
    };
  }

  hello(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, _into: Inbound): ReadResult {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    const event = parseObject(message);
    if (event === undefined) return refuse('not_json', 'a message that is no JSON object');
    switch (event['type']) {
      case 'Results':
        return readResults(event);
      case 'Error':
        return agentError(event['err_code'] ?? event['code'], event['err_msg'] ?? event['description'], true);
      // SpeechStarted and UtteranceEnd: our own ears say so for every leg, and earlier.
      default:
        return IGNORED;
    }
  }

  writeAudio(frame: Uint8Array): Uint8Array {
    return frame;
  }

  writeKeepAlive(): WireMessage {
    return KEEP_ALIVE;
  }

  writeFinalize(): readonly WireMessage[] {
    return [FINALIZE];
  }

  override writeEnd(): WireMessage {
    return CLOSE_STREAM;
  }
}

function queryOf(options: ClientOptions, format: AudioFormat): { readonly [name: string]: string | null } {
  // Whatever else the recogniser can is a parameter of its URL; so are the settings here.
  const own = Object.entries(options.settings).map(([name, value]) => [name, queryText(value)]);
  return {
    model: options.model ?? MODEL,
    language: options.language,
    encoding: encodingOf(format),
    sample_rate: String(format.sampleRateHz),
    channels: '1',
    interim_results: 'true',
    endpointing: '300',
    utterance_end_ms: '1000',
    vad_events: 'true',
    ...Object.fromEntries(own),
  };
}

function queryText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Of several channels the first is the caller's, the others the agent's. */
function readResults(event: JsonObject): ReadResult {
  const { channel, channel_index: index } = event;
  const alternatives = isObject(channel) ? channel['alternatives'] : undefined;
  const best: unknown = Array.isArray(alternatives) ? alternatives[0] : undefined;
  if (!isObject(best)) return IGNORED;
  const isAgent = Array.isArray(index) && typeof index[0] === 'number' && index[0] > 0;
  const startMs = msOf(event['start']);
  const durationMs = msOf(event['duration']);
  const said = transcript(isAgent ? 'agent' : 'caller', best['transcript'], {
    isFinal: event['is_final'] === true,
    startMs,
    endMs: startMs === null || durationMs === null ? null : startMs + durationMs,
    confidence: ratioOf(best['confidence']),
  });
  return said ?? IGNORED;
}

function msOf(seconds: unknown): number | null {
  const value = numberOf(seconds);
  return value !== undefined && value >= 0 ? Math.round(value * 1000) : null;
}

function ratioOf(value: unknown): number | null {
  const ratio = numberOf(value);
  return ratio !== undefined && ratio >= 0 && ratio <= 1 ? ratio : null;
}
