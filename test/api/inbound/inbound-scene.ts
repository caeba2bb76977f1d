import { request as httpRequest } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Command, CommandResult } from '../../../src/events/commands.ts';
import { HookDesk, type HookDeskOptions } from '../../fakes/hook-desk.ts';
import { eventOf } from '../../store/samples.ts';

/** What a sender hears. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A desk that listens, and whoever calls at it. */
export class Scene {
  readonly desk: HookDesk;
  readonly commands: Command[];

  constructor(desk: HookDesk, commands: Command[]) {
    this.desk = desk;
    this.commands = commands;
  }

  static async open(
    options: HookDeskOptions = {},
    answer: (command: Command) => CommandResult | Promise<CommandResult> = () => ({ ok: true, value: {} }),
  ): Promise<Scene> {
    const commands: Command[] = [];
    const command = (one: Command) => {
      commands.push(one);
      return answer(one);
    };
    const desk = await HookDesk.open({ ...options, command });
    await desk.api.listen();
    onTestFinished(() => desk.close());
    return new Scene(desk, commands);
  }

  /** Makes a hook, and fails where it is not made. */
  async hook(wish: object = {}): Promise<ReturnType<typeof JSON.parse>> {
    const { status, body, text } = await this.desk.ask('POST', '/inbound-webhooks', { ...EVENT, ...wish });
    if (status !== 201) throw new Error(text);
    return body.data;
  }

  /** What a sender does: a POST to the URL it was given. */
  send(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const bytes = typeof body === 'string' ? body : JSON.stringify(body);
    const { pathname } = new URL(url);
    return post(this.desk.api.port, pathname, bytes, { 'content-type': 'application/json', ...headers });
  }

  async log(id: string, query = ''): Promise<ReturnType<typeof JSON.parse>[]> {
    return (await this.desk.ask('GET', `/inbound-webhooks/${id}/deliveries${query}`)).body.data;
  }

  async events(type = 'custom.*'): Promise<ReturnType<typeof JSON.parse>[]> {
    return (await this.desk.ask('GET', `/events?types=${type}`)).body.data;
  }

  get stats(): { readonly [name: string]: number } {
    return this.desk.api.stats();
  }

  async call(id: string): Promise<void> {
    await this.desk.publish(eventOf(id, 1));
  }
}

/** The least a hook needs: it publishes an event. */
export const EVENT = { actions: [{ type: 'publish_event', args: { event: 'custom.order.paid' } }] };

/** A POST as the wire has it. */
export function post(
  port: number,
  path: string,
  body: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest({ port, path, method: 'POST', host: '127.0.0.1', headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('end', () => {
      const isJson = String(response.headers['content-type']).includes('json');
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
      });
    });
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}
