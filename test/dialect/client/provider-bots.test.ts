import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { CLIENT_DIALECTS, clientDialectOf } from '../../../src/dialect/client-registry.ts';
import type { DialectSession } from '../../../src/dialect/dialect.ts';
import { DIALECTS } from '../../../src/dialect/registry.ts';
import { frameBytes } from '../../../src/media/format.ts';
import { BackendHouse } from '../../fakes/backend-house.ts';
import { BackendServer } from '../../fakes/backend-server.ts';
import { until } from '../../fakes/until.ts';
import { openInbound, payloadOf, STARTED_FACTS } from '../wire.ts';

// AudioSocket is bare TCP: no bot behind it could be dialled.
const bots = DIALECTS.filter(({ name }) => name !== 'native' && name !== 'audiosocket');

/** A bot of somebody who wrote it for this provider: our own server side of the protocol speaks for it. */
class Bot {
  readonly heard: Buffer[] = [];
  readonly types: string[] = [];
  readonly server: BackendServer;
  session!: DialectSession;
  socket!: WebSocket;

  constructor(server: BackendServer) {
    this.server = server;
  }

  static async open(dialect: (typeof DIALECTS)[number]): Promise<Bot> {
    const into = openInbound(4 * 1024 * 1024);
    const server = await BackendServer.open(
      (socket, request) => {
        bot.socket = socket;
        const headers = request.headers as Record<string, string>;
        const target = request.url ?? '/';
        const upgrade = { method: 'GET', headers, target, urls: [] };
        bot.session = dialect.openSession({ nowMs: 0, upgrade, options: {} });
        socket.on('message', (message, isBinary) => {
          const read = bot.session.read(message as Buffer, isBinary, into);
          for (const one of read.type === 'several' ? read.inputs : [read]) {
            bot.types.push(one.type === 'refusal' ? `${one.fault}: ${one.detail}` : one.type);
            if (one.type === 'audio') bot.heard.push(payloadOf(into));
            if (one.type === 'reply') socket.send(one.message.bytes, { binary: one.message.isBinary });
            if (one.type === 'started') bot.#send(bot.session.writeStarted(STARTED_FACTS));
          }
        });
      },
      dialect.subprotocols[0] === undefined ? {} : { subprotocol: dialect.subprotocols[0] },
    );
    const bot = new Bot(server);
    return bot;
  }

  say(frame: Uint8Array): void {
    this.#send(this.session.writeHead?.());
    const message = this.session.writeAudio(frame);
    if (message === undefined) return;
    this.socket.send(Buffer.from(message), { binary: this.session.audioIsBinary });
  }

  mark(name: string): void {
    this.#send(this.session.writeMark(name));
  }

  clear(): void {
    this.#send(this.session.writeClear());
  }

  #send(message: { bytes: Uint8Array; isBinary: boolean } | undefined): void {
    if (message !== undefined) this.socket.send(message.bytes, { binary: message.isBinary });
  }
}

describe.each(bots)('a bot written for $name, as an agent', (dialect) => {
  let bot: Bot;
  let house: BackendHouse;
  beforeEach(async () => {
    bot = await Bot.open(dialect);
    house = new BackendHouse();
  });
  afterEach(async () => {
    await house.closeSoundly();
    await bot.server.close();
  });

  it('hears the caller, is heard, marks, clears, and is hung up on', async () => {
    const talk = await house.dial({ dialect: dialect.name, url: bot.server.url }).isUp();
    await until(() => bot.types.includes('started'), 'the start of the call');
    const { capabilities, leg } = { capabilities: dialect.capabilities, leg: talk.leg };
    const { length } = new Int16Array(leg.sampleRateHz / 50);
    for (let frame = 0; frame < capabilities.messageFrames; frame++) leg.forward(new Int16Array(length));
    await until(() => bot.heard.length > 0, 'the caller to be heard');

    const silence = new Uint8Array(frameBytes(leg.started.inbound));
    for (let frame = 0; frame < capabilities.messageFrames; frame++) bot.say(silence);
    await until(() => talk.frames.length > 0, 'the bot to be heard');

    bot.mark('m-1');
    const [mark] = capabilities.marks ? await talk.hears('command') : [undefined];
    // Some wires carry short names only; what comes back is what was on the wire.
    const name = mark?.type === 'command' && mark.name === 'mark' ? String(mark.args['name']) : '';
    expect(name.startsWith('m')).toBe(capabilities.marks);
    const played = name === '' ? undefined : leg.session.writeMarkPlayed?.(name, 340);
    if (played !== undefined) leg.send(played);
    await until(() => played === undefined || bot.types.includes('mark_played'), 'the mark');
    const isCleared = capabilities.clear;
    bot.clear();
    if (isCleared) {
      await until(
        () => talk.inputs.some((input) => input.type === 'command' && input.name === 'clear'),
        'the clear',
      );
    }
    expect(talk.broken).toEqual([]);
    leg.end('hangup', 1000, house.clock.nowMs());
    await until(() => bot.socket.readyState === 3, 'the end');
  });

  it('is warned of where the facts of its protocol are second-hand', async () => {
    await house.dial({ dialect: dialect.name, url: bot.server.url }).isUp();
    expect(house.warnings).toHaveLength(dialect.capabilities.unverified ? 1 : 0);
  });
});

describe('the backends', () => {
  it('are those of their own protocols and of every provider, each once', () => {
    const names = CLIENT_DIALECTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(bots.map(({ name }) => name)));
    expect(names).toEqual(
      expect.arrayContaining(['native', 'openai-realtime', 'deepgram-agent', 'deepgram-stt']),
    );
    expect(clientDialectOf('nobody')).toBeUndefined();
  });
});
