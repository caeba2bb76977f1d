import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../base/json.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import { optionOf } from '../capabilities.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult, type SessionOptions } from '../dialect.ts';
import { digitOf, nameOf, type Parameters } from '../fields.ts';
import { maySpeak } from '../json-media/stream/options.ts';
import { controlFormatOf, readControl, type ControlFormat, type ControlMessage } from './control.ts';
import { formatOfName } from './format.ts';
import { URI_PARAMETERS } from './options.ts';

const XOFF = { type: 'flow', maySend: false } as const;
const XON = { type: 'flow', maySend: true } as const;
const FRAME_BYTES_MAX = 65_500;

/** What was agreed at the start, for whoever answers. */
export interface AsteriskLine {
  readonly control: ControlFormat;
  /**
   * What Asterisk cuts audio into; a shorter rest of a message it drops. 0 where packets go as they are.
   */
  readonly optimalFrameBytes: number;
}

/** What chan_websocket says. A session is one channel: `connection_id` may be that of many. */
export class AsteriskReader {
  readonly #options: Pick<SessionOptions, 'upgrade' | 'options'>;
  readonly #marks: ShortMarks;
  #line: AsteriskLine | undefined;
  #sampleBytes = 1;

  constructor(options: Pick<SessionOptions, 'upgrade' | 'options'>, marks: ShortMarks) {
    this.#options = options;
    this.#marks = marks;
  }

  /** Undefined before the start. */
  get line(): AsteriskLine | undefined {
    return this.#line;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) {
      if (this.#line !== undefined) return readAudioBytes(message, this.#sampleBytes, into);
      return refuse('protocol_violation', 'audio before MEDIA_START');
    }
    // The first words tell how all are written.
    const control = this.#line?.control ?? controlFormatOf(message);
    const said = readControl(message, control);
    if (said === undefined) return refuse('not_json', `no ${control} control message`);
    if (said.word === 'MEDIA_START') return this.#start(said, control);
    if (this.#line === undefined) return refuse('protocol_violation', 'a word before MEDIA_START');
    return this.#readWord(said);
  }

  #readWord({ word, fields }: ControlMessage): ReadResult {
    switch (word) {
      case 'MEDIA_XOFF':
        return XOFF;
      case 'MEDIA_XON':
        return XON;
      case 'DTMF_END':
        return readDtmf(fields['digit']);
      case 'MEDIA_MARK_PROCESSED':
      case 'MEDIA_BUFFERING_COMPLETED':
        return this.#readMark(fields['correlation_id']);
      default:
        // STATUS, QUEUE_DRAINED, ERROR: none of them asks for anything.
        return IGNORED;
    }
  }

  #start({ fields }: ControlMessage, control: ControlFormat): LegStarted | Refusal {
    if (this.#line !== undefined) return refuse('protocol_violation', 'a second MEDIA_START');
    const format = formatOfName(fields['format']);
    if (format === undefined) return refuse('unsupported_format', 'a format that is not spoken here');
    const optimalFrameBytes = numberOf(fields['optimal_frame_size'] ?? 0) ?? -1;
    if (
      !Number.isInteger(optimalFrameBytes) ||
      optimalFrameBytes < 0 ||
      optimalFrameBytes > FRAME_BYTES_MAX
    ) {
      return refuse('protocol_violation', 'optimal_frame_size is no size of a frame');
    }
    this.#line = { control, optimalFrameBytes: format.codec === 'opus' ? 0 : optimalFrameBytes };
    this.#sampleBytes = format.codec === 'l16' ? 2 : 1;
    return {
      type: 'started',
      providerCallId: nameOf(fields['channel_id']) ?? null,
      providerStreamId: nameOf(fields['connection_id']) ?? null,
      inbound: format,
      outbound: format,
      bidirectional: maySpeak(this.#options.options),
      parameters: this.#parametersOf(fields),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  #parametersOf(fields: ControlMessage['fields']): Parameters {
    const { upgrade, options } = this.#options;
    const variables = isObject(fields['channel_variables']) ? fields['channel_variables'] : {};
    const searchParams = new URLSearchParams(upgrade.target.split('?')[1] ?? '');
    const query = optionOf(URI_PARAMETERS, options) === 'yes' ? Object.fromEntries(searchParams) : {};
    const channel = nameOf(fields['channel']);
    return flatParametersOf({
      ...(channel === undefined ? {} : { channel }),
      ...query,
      ...plainly(variables),
    });
  }

  #readMark(given: unknown): ReadResult {
    const id = nameOf(given);
    if (id === undefined) return IGNORED;
    const name = this.#marks.take(id);
    return name === undefined ? IGNORED : { type: 'mark_played', name };
  }
}

/**
 * What `Set(__from=…)` hands on to the channel that is dialled is `__from` there (`channel_variables` of
 * Asterisk f0c1c1a); a variable of the plain name counts before it.
 */
function plainly(variables: JsonObject): JsonObject {
  const inherited = Object.entries(variables).map(([name, value]) => [name.replace(/^__?/, ''), value]);
  return { ...Object.fromEntries(inherited), ...variablesOfTheirOwn(variables) };
}

function variablesOfTheirOwn(variables: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('_')));
}

function readDtmf(given: unknown): ReadResult {
  const digit = digitOf(given);
  return digit === undefined
    ? refuse('protocol_violation', 'DTMF_END without a digit')
    : { type: 'dtmf', digit, durationMs: null };
}
