import { isObject, textOf, type JsonObject } from '../../base/json.ts';
import type { InvitedRole, SupervisionMode } from '../../events/call-commands.ts';
import type { CallFacts } from '../facts.ts';

/** How somebody who was invited wants to come in; it travels in the token, so that any node can read it. */
export interface JoinWish {
  /** A supervisor's first mode. */
  readonly mode: SupervisionMode | null;
  /** The handover this leg is the target of. */
  readonly handoverId: string | null;
}

/** Who is invited, and how. */
export interface Invitation extends JoinWish {
  readonly role: InvitedRole;
}

/** Where a party may join, and the token that opens the door there once. */
export interface JoinTicket {
  readonly ws_url: string;
  readonly token: string;
  readonly expires_at: string;
}

/** Makes tokens for parties of a call. */
export interface Invitations {
  mint(invitation: Invitation, call: CallFacts): Promise<JoinTicket>;
}

const MODES: readonly SupervisionMode[] = ['monitor', 'whisper', 'barge', 'takeover'];

/** What a token carries of an invitation, beside the role. */
export function joinWishOf(metadata: JsonObject): JoinWish | undefined {
  const given = metadata['join'];
  if (!isObject(given)) return undefined;
  return {
    mode: MODES.find((mode) => mode === given['mode']) ?? null,
    handoverId: textOf(given['handover_id']) ?? null,
  };
}

/** The other way round: what is written into the token. */
export function joinMetadataOf({ mode, handoverId }: JoinWish): JsonObject {
  return { join: { mode, handover_id: handoverId } };
}
