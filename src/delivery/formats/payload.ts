import type { Envelope } from '../../events/envelope.ts';
import type { Endpoint } from '../outbox.ts';
import { FORMATS } from './format.ts';
import { envelopeIn } from './payload-versions.ts';

type Dress = Pick<Endpoint, 'format' | 'apiVersion'>;

/** A body as it goes over the wire. */
export interface Payload {
  readonly body: Buffer;
  /** `<event id>/<format>/<version>`. */
  readonly ref: string;
}

/** What is to be told to whom. */
export interface Telling {
  readonly endpoint: Dress;
  readonly envelope: Envelope;
  readonly previousUndelivered?: readonly string[];
  /** As it was written for an earlier attempt. */
  readonly body?: string | null;
}

/** Bodies of events, written once for all endpoints that want the same format and version. */
export class Payloads {
  readonly #written = new WeakMap<Envelope, Map<string, Payload>>();

  of({ endpoint: dress, envelope, previousUndelivered = [], body = null }: Telling): Payload {
    if (body !== null) return { body: Buffer.from(body), ref: refOf(envelope, dress) };
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
  dress: Dress,
  previousUndelivered: readonly string[],
): Payload {
  const told = FORMATS[dress.format](envelopeIn(dress.apiVersion, envelope), previousUndelivered);
  return { body: Buffer.from(JSON.stringify(told)), ref: refOf(envelope, dress) };
}

function refOf({ id }: Envelope, { format, apiVersion }: Dress): string {
  return `${id}/${format}/${apiVersion}`;
}
