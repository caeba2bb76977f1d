import type { Call } from '../../src/call/call.ts';
import type { CallSnapshot } from '../../src/call/snapshot/call-snapshot.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import { Story, type PartyOptions, type StoryOptions, type StoryParty } from './story.ts';

export interface Death {
  /** How long nobody has the call. */
  readonly afterMs?: number;
  /** What the registry had; what the call is at its death, unless it is given. */
  readonly saved?: string;
}

/** Nodes, one after the other: what one had saved is all the next one knows of a call. */
export class Succession {
  /** Of all nodes, as the journal has them. */
  readonly events: Envelope[] = [];
  /** The node that has the call now. */
  node: Story;
  readonly #options: StoryOptions;
  #token = 100;
  #deaths = 0;

  constructor(options: StoryOptions = {}) {
    const limits = { resumeWindowMs: 30_000, ...options.limits };
    this.#options = { ...options, limits, events: this.events };
    this.node = new Story({ ...this.#options, node: 'node-0' });
  }

  get call(): Call {
    // An event may be told twice: by the node that died, and by the next one, to be sure.
    const started = this.events.find(({ type }) => type === 'call_started');
    const call = this.node.calls.get(started?.resource.id ?? '');
    if (call === undefined) throw new Error('the call has ended');
    return call;
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type);
  }

  arrives(options: PartyOptions = {}): StoryParty {
    return this.node.arrives(options);
  }

  /** As the registry has it: text. */
  saved(): string {
    return JSON.stringify(this.call.save(this.node.clock.nowMs()));
  }

  snapshot(): CallSnapshot {
    return JSON.parse(this.saved()) as CallSnapshot;
  }

  /** The node is gone without a word, and the next one takes its call over. */
  dies({ afterMs = 500, saved = this.saved() }: Death = {}): Call | undefined {
    const { node: former } = this;
    const { clock } = former;
    const lostSinceUnixMs = clock.unixMs();
    former.calls.surrender(this.call.id, clock.nowMs());
    clock.advance(afterMs);
    const from = `node-${this.#deaths++}`;
    const to = `node-${this.#deaths}`;
    this.node = new Story({ ...this.#options, node: to, clock });
    const takeover = { fence: ++this.#token, from, to, lostSinceUnixMs };
    return this.node.calls.restore(JSON.parse(saved), takeover, clock.nowMs());
  }

  /** Somebody who was here comes to the node that has the call now. */
  comesBack(party: StoryParty, options: PartyOptions = {}): Promise<StoryParty> {
    return this.node.comesBack(party, options);
  }

  /** Own fields of the one event of a type. */
  told(type: string): Envelope['data'] {
    return this.node.only(type).data;
  }
}
