import type { ApiOptions } from '../api-options.ts';
import type { KeyDirectory } from '../door/key-directory.ts';
import type { Tickets } from '../door/tickets.ts';
import type { LiveReaders } from '../live/live-readers.ts';
import type { InboundStats } from '../inbound/inbound-gate.ts';
import type { QueueMembers } from '../live/queue-members.ts';
import type { EventSockets } from '../live/socket.ts';
import { Type } from 'typebox';
import type { ProviderStats } from './voice/provider-gate.ts';

/** What route files are given. */
export interface RouteContext extends ApiOptions {
  readonly directory: KeyDirectory;
  readonly tickets: Tickets;
  readonly readers: LiveReaders;
  readonly members: QueueMembers;
  readonly sockets: EventSockets;
  readonly inboundStats: InboundStats;
  readonly voiceStats: ProviderStats;
}

/** The id in a path. */
export const ById = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) });

/** Names that travel in events: long enough for anybody's ids, short enough for a token. */
export const Reference = Type.String({ minLength: 1, maxLength: 128 });
