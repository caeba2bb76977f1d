import type { AtMs } from '../base/clock.ts';
import type { Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { LegRole } from '../base/roles.ts';
import type { OptionValues } from '../dialect/capabilities.ts';
import type { Dialect, DialectSession, LegStarted } from '../dialect/dialect.ts';
import type { UpgradeFacts } from '../dialect/proof.ts';
import type { FrameSink } from '../leg/frame-sink.ts';
import type { SocketLoss } from '../leg/frame-sink.ts';

/** Who is at the door, as proven by a session token, a stream credential or a resume token. */
export interface Caller {
  readonly workspaceId: string;
  readonly agentId: string | null;
  readonly testMode: boolean;
  readonly role: LegRole;
  /** The call a session token was made for; null where the provider's stream makes a new one. */
  readonly callId: string | null;
  readonly sessionId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly leadId: string | null;
  readonly contactId: string | null;
  readonly conversationId: string | null;
  readonly metadata: JsonObject;
  /** The stream credential it came in with, or whose answer led it here; absent where there was none. */
  readonly credentialId?: string | null;
}

/** A caller of whom nothing is known yet but whose it is. */
export const NEWCOMER: Omit<Caller, 'workspaceId' | 'agentId' | 'testMode' | 'credentialId'> = {
  role: 'caller',
  callId: null,
  sessionId: null,
  direction: 'inbound',
  from: null,
  to: null,
  leadId: null,
  contactId: null,
  conversationId: null,
  metadata: {},
};

/** What was said before the start, the start included: enough to say it again elsewhere. */
export interface Opening {
  readonly dialect: string;
  readonly upgrade: UpgradeFacts;
  readonly options: OptionValues;
  readonly messages: readonly { readonly bytes: Uint8Array; readonly isBinary: boolean }[];
}

/** A leg about to be made: the protocol has said its start. */
export interface Arrival {
  readonly caller: Caller;
  readonly dialect: Dialect;
  readonly session: DialectSession;
  readonly started: LegStarted;
  readonly socket: LegSocket;
  readonly receivedAtMs: AtMs;
  /** Absent where too much was said, and for legs that were dialled. */
  readonly opening?: Opening | undefined;
}

/** What a leg may do with its socket. The gateway owns the socket itself. */
export type LegSocket = FrameSink;

/** The house behind the door: a leg of a call, as the gateway sees it. */
export interface LegConnection {
  /** One whole WebSocket message. The bytes are the caller's again when this returns. */
  receive(message: Uint8Array, isBinary: boolean, nowMs: AtMs): void;
  /**
   * What the peer says after our last words. False, or absent, where only the protocol answers it. The bytes
   * are the caller's again when this returns.
   */
  receiveLate?(message: Uint8Array, isBinary: boolean): boolean;
  /** The socket is gone. `clean` when the peer closed it with 1000 or after its protocol's end. */
  lost(cause: LostCause, nowMs: AtMs): void;
}

/** How the gateway tells a leg that its socket went. */
export type LostCause = SocketLoss;

/** What the gateway asks of whoever runs calls. */
export interface Arrivals {
  /** Whether one more leg may come in; asked before the upgrade. Undefined when it may. */
  refuseNew(): Refusal | undefined;
  /** What has to be done before this one can arrive, if anything: another node may have its call. */
  prepare?(arrival: Arrival): Promise<void> | undefined;
  arrive(arrival: Arrival, nowMs: AtMs): LegConnection | Refusal;
}
