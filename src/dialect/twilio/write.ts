import { invariant } from '../../base/errors.ts';
import { Base64Template } from '../base64-template.ts';
import type { WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';

/** What we say to Twilio on one stream. On a stream that listens to nothing we say nothing: error 31924. */
export class TwilioWriter {
  readonly #streamSid: string;
  readonly #bidirectional: boolean;
  readonly #audio: Base64Template;
  readonly #clear: WireMessage;

  constructor(streamSid: string, bidirectional: boolean) {
    this.#streamSid = streamSid;
    this.#bidirectional = bidirectional;
    this.#audio = new Base64Template(
      `{"event":"media","streamSid":${JSON.stringify(streamSid)},"media":{"payload":"`,
      '"}}',
    );
    this.#clear = textMessage({ event: 'clear', streamSid });
  }

  audio(frame: Uint8Array): Uint8Array {
    invariant(this.#bidirectional, 'nothing is sent on a stream that listens to nothing');
    return this.#audio.write(frame);
  }

  mark(name: string): WireMessage | undefined {
    if (!this.#bidirectional) return undefined;
    return textMessage({ event: 'mark', streamSid: this.#streamSid, mark: { name } });
  }

  clear(): WireMessage | undefined {
    return this.#bidirectional ? this.#clear : undefined;
  }
}
