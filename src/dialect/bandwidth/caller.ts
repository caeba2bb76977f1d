import { VoiceError } from '../../base/errors.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { BANDWIDTH_PLAY_WORDS } from './words.ts';

const ACCOUNT_ID = '5555555';

/** Bandwidth's side of a stream: it counts nothing, and has neither digits nor marks. */
export class BandwidthCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media = new CountedTemplate(['{"eventType":"media","track":"inbound","payload":"', '"}']);
  readonly #ear = new CallerEar({
    provider: 'Bandwidth',
    words: BANDWIDTH_PLAY_WORDS,
    events: new Map([['clear', CLEAR_EVENT]]),
  });

  constructor(options: CallerOptions) {
    if (options.format.codec !== 'pcmu' || options.format.sampleRateHz !== 8000) {
      const message = 'Bandwidth sends PCMU at 8000 Hz only';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
  }

  hello(): readonly WireMessage[] {
    const { from, to, parameters } = this.#options;
    // It tells no numbers: the BXML passes them on as parameters.
    const streamParams = {
      ...parameters,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
    };
    return [textMessage({ eventType: 'start', metadata: this.#metadata(), streamParams })];
  }

  audio(frame: Uint8Array): WireMessage {
    return this.#media.write(frame);
  }

  dtmf(): readonly WireMessage[] {
    return [];
  }

  markPlayed(): undefined {}

  goodbye(): readonly WireMessage[] {
    return [textMessage({ eventType: 'stop', metadata: this.#metadata() })];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return this.#ear.hear(message, isBinary, into);
  }

  #metadata(): object {
    const { callId, streamId } = this.#options;
    const tracks = [{ name: 'inbound', mediaFormat: { encoding: 'audio/PCMU', sampleRate: 8000 } }];
    return { accountId: ACCOUNT_ID, callId, streamId, streamName: 's1', tracks };
  }
}
