import type { Ask, AskResult } from '../events/asks.ts';
import type { Command, CommandResult } from '../events/commands.ts';
import type { EventRecord } from '../events/envelope.ts';

/** The version of the words below; either side closes on another. */
export const LINK_PROTOCOL = 1;

/** A node's own words. Every message is one JSON text behind a 4-byte big-endian length. */
export type FromNode =
  | NodeHello
  /** `records[0]` is number `first` of this incarnation's spool, the rest follow without a hole. */
  | { readonly type: 'events'; readonly first: number; readonly records: readonly EventRecord[] }
  | { readonly type: 'status'; readonly status: NodeStatus }
  | { readonly type: 'result'; readonly id: number; readonly result: CommandResult }
  /** Numbered per connection, answered in any order; events never wait for it. */
  | { readonly type: 'ask'; readonly id: number; readonly ask: Ask };

/** A node's first word on a connection. */
export interface NodeHello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly incarnation: string;
  /** 0 … n−1 on its host. */
  readonly node: number;
  readonly pid: number;
  readonly region: string;
  /** The node's own media address, beside the port it shares. */
  readonly ownPort: number;
  /** Number of the first record still in the spool; one after the last when it is empty. */
  readonly firstRecord: number;
}

/** What a node knows of itself before anybody asks. */
export type NodeFacts = Omit<NodeHello, 'type' | 'protocol' | 'firstRecord'>;

/** Control's words. */
export type FromControl =
  /** The journal stands at `ackedRecord`: send what follows. */
  | { readonly type: 'welcome'; readonly protocol: number; readonly ackedRecord: number }
  | { readonly type: 'ack'; readonly record: number }
  | { readonly type: 'command'; readonly id: number; readonly command: Command }
  | { readonly type: 'answer'; readonly id: number; readonly result: AskResult };

/** What a node says of itself twice a second, and at once when its state changes. */
export interface NodeStatus {
  readonly state: 'starting' | 'serving' | 'degraded' | 'draining';
  readonly legs: number;
  readonly calls: number;
  readonly capLegs: number;
  readonly loopDelayP99Ms: number;
  readonly spoolBytes: number;
}
