import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallerRead, DialectCaller } from '../../src/dialect/caller.ts';
import type { Dialect, WireMessage } from '../../src/dialect/dialect.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { frameBytes } from '../../src/media/format.ts';
import { openEchoHouse, type EchoHouse } from '../fakes/echo-house.ts';
import { visit, type Visitor } from '../fakes/gateway-visitors.ts';
import { until } from '../fakes/until.ts';
import { CALLER_OPTIONS, formatOf, openInbound, payloadOf, rampFrame } from './wire.ts';

const FRAMES = 50;

let house: EchoHouse;
beforeEach(async () => {
  house = await openEchoHouse();
});
afterEach(() => house.gateway.close());

/** A provider that dialled in over a real socket: it answers what its protocol answers, and keeps the rest. */
class Provider {
  readonly heard: CallerRead[] = [];
  readonly audio: Buffer[] = [];
  readonly visitor: Visitor;
  readonly #dialect: Dialect;
  readonly #caller: DialectCaller;
  #saidMessages = 0;

  private constructor(dialect: Dialect, caller: DialectCaller, visitor: Visitor) {
    this.#dialect = dialect;
    this.#caller = caller;
    this.visitor = visitor;
    const into = openInbound();
    visitor.socket.on('message', (message, isBinary) => {
      const read = caller.read(message as Buffer, isBinary, into);
      if (read.type === 'audio') this.audio.push(payloadOf(into));
      else this.heard.push(read);
      if (read.type === 'reply') this.#send(read.message);
    });
  }

  /** Calls in, and has said its hello. */
  static async call(dialect: Dialect, path = dialect.name): Promise<Provider> {
    house.addCredential('sc_1', { dialect: path });
    const caller = dialect.openCaller({ ...CALLER_OPTIONS, format: formatOf(dialect) });
    const url = `ws://127.0.0.1:${house.gateway.ownPort}/media/${path}/sc_1`;
    const headers = { ...caller.upgradeHeaders };
    const visitor = await visit(url, caller.subprotocols, { headers });
    const provider = new Provider(dialect, caller, visitor);
    for (const message of caller.hello()) provider.#send(message);
    await until(() => house.events.some(({ type }) => type === 'call_started'), `${dialect.name} to start`);
    if (caller.waitsForReady) await until(() => provider.has('ready'), `${dialect.name} to be ready`);
    return provider;
  }

  /** The bytes of a frame, and what an echo makes of them: every codec here gives back what it took. */
  frame(index: number): Uint8Array {
    return rampFrame(index, frameBytes(formatOf(this.#dialect))).map((byte) => byte & 0x6f);
  }

  /** Speaks one frame after the other, each when the one before has been heard by the house. */
  async speaks(frames: number): Promise<void> {
    for (let index = 0; index < frames; index++) {
      const message = this.#caller.audio(this.frame(index), index);
      if (message === undefined) continue;
      this.#send(message);
      await this.isHeard();
    }
  }

  async says(messages: readonly WireMessage[]): Promise<void> {
    for (const message of messages) this.#send(message);
    await this.isHeard();
  }

  has(type: CallerRead['type']): boolean {
    return this.heard.some((read) => read.type === type);
  }

  get caller(): DialectCaller {
    return this.#caller;
  }

  async isHeard(): Promise<void> {
    await until(() => house.gateway.stats.messagesTotal >= this.#saidMessages, 'the house to hear');
  }

  #send({ bytes, isBinary }: WireMessage): void {
    this.#saidMessages++;
    // The caller writes the next frame into the same bytes.
    this.visitor.socket.send(Buffer.from(bytes), { binary: isBinary });
  }
}

function told(type: string): readonly unknown[] {
  return house.events.filter((event) => event.type === type).map(({ data }) => data);
}

describe.each(DIALECTS)('$name over a real socket', (dialect) => {
  const { capabilities } = dialect;

  it('is echoed whole, marked, cleared, heard in digits, and hangs up', async () => {
    const provider = await Provider.call(dialect);
    await provider.speaks(FRAMES);
    const frames = Array.from({ length: FRAMES }, (_, index) => provider.frame(index));
    const spoken = Buffer.concat(frames);
    const heardBytes = (): number => provider.audio.reduce((sum, { length }) => sum + length, 0);
    await until(() => heardBytes() >= spoken.length, 'the echo');
    expect(Buffer.concat(provider.audio).subarray(0, spoken.length).equals(spoken)).toBe(true);

    house.leg.mark('m-1', 0);
    if (capabilities.marks) {
      await until(() => provider.has('mark'), 'the mark');
      const mark = provider.heard.find((read) => read.type === 'mark');
      const played = provider.caller.markPlayed(mark?.type === 'mark' ? mark.name : '');
      await provider.says(played === undefined ? [] : [played]);
    }
    await until(() => told('mark_reached').length === 1, 'the mark to be reached');
    expect(told('mark_reached')).toMatchObject([{ name: 'm-1' }]);

    house.leg.clear(0);
    if (capabilities.clear) await until(() => provider.has('clear'), 'the clear');
    await provider.says(provider.caller.dtmf('5'));
    expect(told('dtmf_received')).toMatchObject(capabilities.dtmfIn ? [{ digit: '5' }] : []);

    const goodbye = provider.caller.goodbye();
    if (goodbye.length > 0) await provider.says(goodbye);
    else provider.visitor.socket.close(1000);
    await until(() => house.isOver, 'the end of the call');
    expect(['provider_stop', 'caller_hangup']).toContain(
      (told('call_ended')[0] as { reason: string }).reason,
    );
    expect([house.gateway.stats.protocolViolations, house.failures]).toEqual([0, []]);
  });

  it('is gone when its socket breaks', async () => {
    const provider = await Provider.call(dialect);
    await provider.speaks(capabilities.messageFrames);
    provider.visitor.leave();
    await until(() => house.isOver, 'the end of the call');
    expect(told('call_ended')).toMatchObject([{ reason: 'connection_lost' }]);
    expect(told('call_completed')).toHaveLength(1);
    expect(house.failures).toEqual([]);
  });

  it('is warned of in the log where its facts are second-hand', async () => {
    const provider = await Provider.call(dialect);
    expect(house.warnings).toHaveLength(capabilities.unverified ? 1 : 0);
    provider.visitor.leave();
    await until(() => house.isOver, 'the end of the call');
  });
});
