import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Refusal } from '../../../src/base/errors.ts';
import { HttpProviderWire } from '../../../src/control/providers/provider-wire.ts';
import type { ProviderOrder } from '../../../src/events/asks.ts';
import type { ProviderAccount } from '../../../src/providers/control/provider-api.ts';
import { ProviderControl } from '../../../src/providers/control/provider-control.ts';
import { TransferTickets } from '../../../src/providers/control/transfer-tickets.ts';

/** A request as it came over the wire. */
export interface HeardRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: string;
}

/** A provider's API on a port of its own: hears everything, answers what it is told to. */
export interface FakeProvider {
  readonly url: string;
  readonly heard: HeardRequest[];
  /** Answered in turn; the last one for ever. */
  answers: { readonly status: number; readonly body?: string }[];
}

/** `whenOver` is given what closes it; by default that is done at the end of the test. */
export async function openProvider(
  whenOver: (close: () => void) => void = onTestFinished,
): Promise<FakeProvider> {
  const heard: HeardRequest[] = [];
  const provider: { answers: FakeProvider['answers'] } = { answers: [{ status: 200, body: '{}' }] };
  const server = createServer((request, response) => {
    void heardOf(request).then((one) => {
      heard.push(one);
      const answer = provider.answers.length > 1 ? provider.answers.shift()! : provider.answers[0]!;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body ?? '');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  whenOver(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(provider, { heard, url: `http://127.0.0.1:${port}` });
}

async function heardOf(request: IncomingMessage): Promise<HeardRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = '', url = '' } = request;
  const headers = request.headers as HeardRequest['headers'];
  return { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') };
}

/** The clients of providers as control has them, with one account that everybody has. */
export class ProviderHouse {
  readonly control: ProviderControl;
  readonly lines: string[] = [];
  readonly transfers = new TransferTickets([Buffer.from('a signing secret of the house')], systemClock);
  readonly #dialect: string;

  constructor(
    known?: { readonly dialect: string; readonly control: ProviderAccount },
    egressAllow: readonly string[] = ['127.0.0.1'],
  ) {
    this.#dialect = known?.dialect ?? 'twilio';
    const wire = new HttpProviderWire({ clock: systemClock, egressAllow, userAgent: 'Omnivoice/test' });
    onTestFinished(() => wire.close());
    const write = (fields: object, sentence: string): void =>
      void this.lines.push(`${sentence} ${JSON.stringify(fields)}`);
    this.control = new ProviderControl({
      accounts: { controlOf: () => Promise.resolve(known) },
      wire,
      clock: systemClock,
      transfers: this.transfers,
      publicUrl: 'https://voice.example.com/',
      log: { info: write, warn: write },
    });
  }

  carriesOut(order: ProviderOrder, callId: string): Promise<Refusal | undefined> {
    return this.control.carryOut({
      workspace_id: 'ws_1',
      credential_id: 'sc_1',
      dialect: this.#dialect,
      provider_call_id: callId,
      order,
    });
  }
}
