import type { Envelope } from '../../events/envelope.ts';
import type { Endpoint } from '../outbox.ts';
import { FORMATS } from './format.ts';
import { envelopeIn } from './payload-versions.ts';

type Dress = Pick<Endpoint, 'format' | 'apiVersion'>;

/** A body as it goes over the wire. */
export interface Payload {
  readonly body: Uint8Array;
  /** `<event id>/<format>/<version>`: the same reference, the same bytes. */
  readonly ref: string;
}

/**
 * Bodies of events, written once for all endpoints and attempts that want the same format and version. They
 * are a function of the stored event alone, so that an attempt after a restart sends the same bytes again.
 */
export class Payloads {
  readonly #written = new WeakMap<Envelope, Map<string, Payload>>();

  of(envelope: Envelope, dress: Dress, previousUndelivered: readonly string[] = []): Payload {
    // It names the events of one endpoint: nobody else's body may be like it.
    if (previousUndelivered.length > 0) return writePayload(envelope, dress, previousUndelivered);
    const key = `${dress.format}/${dress.apiVersion}`;
    const written = this.#written.get(envelope) ?? new Map<string, Payload>();
    const payload = written.get(key) ?? writePayload(envelope, dress, []);
    if (written.size === 0) this.#written.set(envelope, written);
    written.set(key, payload);
    return payload;
  }
}

/** The body of an event in a format and a version. */
export function writePayload(
  envelope: Envelope,
  { format, apiVersion }: Dress,
  previousUndelivered: readonly string[],
): Payload {
  const told = FORMATS[format](envelopeIn(apiVersion, envelope), previousUndelivered);
  return { body: Buffer.from(JSON.stringify(told)), ref: `${envelope.id}/${format}/${apiVersion}` };
}
