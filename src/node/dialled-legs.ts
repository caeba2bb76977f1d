import type { AtMs, Clock } from '../base/clock.ts';
import { messageOf, refuse, VoiceError, type Refusal } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Closeable } from '../base/lifetime.ts';
import { MIB } from '../base/units.ts';
import type {
  AgentBackend,
  AgentCall,
  AgentDialler,
  AgentDialListener,
  AgentLine,
  AgentToolResult,
  DialledAgent,
} from '../call/agent-dialler.ts';
import { clientDialectOf } from '../dialect/client-registry.ts';
import type { ClientDialect, ClientOptions, ClientSession } from '../dialect/client.ts';
import type { Inbound, WireMessage } from '../dialect/dialect.ts';
import type { LegConnection } from '../gateway/arrivals.ts';
import type { DialledStart } from '../gateway/dialling/dialled-connection.ts';
import type { Dialler } from '../gateway/dialling/dialler.ts';
import { Leg } from '../leg/leg.ts';
import type { Pacer } from '../leg/leg-options.ts';
import { l16, PCMU_8K } from '../media/format.ts';
import { SpreadMessages, type SpreadStats } from './dialled/spread-messages.ts';
import type { LegGroups } from './leg-groups.ts';
import type { LegMedia } from './leg-media.ts';

/** A message of a backend we dialled may be this long (contract.md §9); its audio is no longer than it. */
const INBOUND_BYTES = 4 * MIB;

/** Where the connection is ours, it is we who would come back. */
const NO_RESUME = { resumed: false, resumeToken: null, resumeUrls: [], resumeWindowMs: 0 };

/** A backend that is ready, and what it was dialled for. */
interface StartedDial {
  readonly dialect: ClientDialect;
  readonly start: DialledStart;
  readonly call: AgentCall;
  readonly listener: AgentDialListener;
}

export interface DialledLegsOptions {
  readonly clock: Clock;
  readonly dialler: Dialler;
  readonly media: Pick<LegMedia, 'refusalOf' | 'partsFor' | 'reserve'>;
  readonly pacer: Pacer;
  readonly groups: LegGroups;
  /** A backend of this dialect answered a ping after so many milliseconds. */
  readonly ponged?: (dialectName: string, roundTripMs: number) => void;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** Dials backends and makes legs of them. What they are for is the call's to know. */
export class DialledLegs implements AgentDialler, Closeable {
  readonly stats: SpreadStats = { spreadMessages: 0, hurriedMessages: 0 };
  readonly #options: DialledLegsOptions;
  /** One scratch for all: a message is read before the next one is. */
  readonly #inbound: Inbound = {
    payload: new Uint8Array(INBOUND_BYTES),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };

  constructor(options: DialledLegsOptions) {
    this.#options = options;
  }

  dial(backend: AgentBackend, call: AgentCall, listener: AgentDialListener): DialledAgent {
    const { clock, dialler } = this.#options;
    try {
      const dialect = dialectOf(backend);
      const session = dialect.openClient(this.#clientOptions(backend, call));
      const ponged = (roundTripMs: number): void => this.#options.ponged?.(dialect.name, roundTripMs);
      const peer = { session, keepAliveMs: dialect.capabilities.keepAliveMs, ponged };
      return dialler.dial(peer, {
        started: (start, nowMs) => this.#start({ dialect, start, call, listener }, nowMs),
        failed: ({ result, detail }, nowMs) => listener.failed({ error: result, detail }, nowMs),
      });
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      const failure = { error: error.code, detail: messageOf(error) };
      return { cancel: clock.after(0, () => listener.failed(failure, clock.nowMs())) };
    }
  }

  close(): Promise<void> {
    return this.#options.dialler.close();
  }

  #clientOptions(backend: AgentBackend, call: AgentCall): ClientOptions {
    const { clock } = this.#options;
    const { callId, from, to, parameters, sampleRateHz } = call;
    const { dialect: _, ...said } = backend;
    return {
      ...said,
      nowMs: clock.nowMs(),
      format: sampleRateHz === 8000 ? PCMU_8K : l16(sampleRateHz),
      callId,
      streamId: newId('leg', clock),
      from,
      to,
      parameters,
    };
  }

  #start({ dialect, start, call, listener }: StartedDial, nowMs: AtMs): LegConnection | Refusal {
    const refusal = this.#options.media.refusalOf(start.started);
    if (refusal !== undefined) return refuse(refusal.fault, refusal.detail);
    const leg = this.#makeLeg(dialect, start, listener, nowMs);
    const { capabilities, name } = dialect;
    if (capabilities.unverified) {
      const facts = { leg_id: leg.id, dialect: name };
      this.#options.log.warn(facts, 'a leg speaks a dialect whose facts are second-hand (docs/dialects.md)');
    }
    const words = start.session.writeStarted({ ...NO_RESUME, callId: call.callId, legId: leg.id });
    if (words !== undefined) leg.send(words);
    const { clock, media } = this.#options;
    const { stats } = this;
    const inbound = this.#inbound;
    const reserve = (): void => media.reserve();
    const said = new SpreadMessages({ leg, socket: start.socket, inbound, clock, stats, reserve });
    listener.connected(new DialledLine(leg, start.session, said), nowMs);
    return said;
  }

  #makeLeg(dialect: ClientDialect, start: DialledStart, listener: AgentDialListener, nowMs: AtMs): Leg {
    const { clock, media, pacer, groups } = this.#options;
    const { session, started, socket } = start;
    const group = groups.of(dialect.name, 'agent');
    const leg = new Leg({
      // It speaks ahead of time, in order, over TCP: whoever hears it paces it, and nothing is late.
      ...media.partsFor(started, { isPaced: false, hears: 'voices', tellsDigits: true }),
      id: listener.legId ?? newId('leg', clock),
      role: 'agent',
      dialectName: dialect.name,
      capabilities: dialect.capabilities,
      started,
      session,
      sink: socket,
      inbound: this.#inbound,
      counters: group.frames,
      pacer,
      listener: listener.legListener,
      nowMs,
      onEnded: () => groups.left(group, leg),
    });
    group.count++;
    return leg;
  }
}

/** What the call says to a backend, in the backend's words. */
class DialledLine implements AgentLine {
  readonly leg: Leg;
  readonly #session: ClientSession;
  readonly #said: SpreadMessages;

  constructor(leg: Leg, session: ClientSession, said: SpreadMessages) {
    this.leg = leg;
    this.#session = session;
    this.#said = said;
  }

  interrupt(itemId: string | null, playedMs: number): void {
    this.#said.drop();
    this.#send(this.#session.writeInterrupted?.(itemId, playedMs));
  }

  answerTool(result: AgentToolResult): void {
    this.#send(this.#session.writeToolResult?.(result));
  }

  tell(text: string): boolean {
    return this.#send(this.#session.writeContext?.(text));
  }

  pauseReading(): void {
    this.#said.pauseReading();
  }

  resumeReading(): void {
    this.#said.resumeReading();
  }

  #send(messages: readonly WireMessage[] | undefined): boolean {
    for (const message of messages ?? []) this.leg.send(message);
    return messages !== undefined;
  }
}

function dialectOf({ dialect: name }: AgentBackend): ClientDialect {
  const dialect = clientDialectOf(name);
  if (dialect !== undefined) return dialect;
  throw new VoiceError('invalid_argument', `no backend speaks ${name}`, { field: 'dialect' });
}
