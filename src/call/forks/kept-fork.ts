import { isObject, numberOf, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { readCallCommand } from '../../events/call-commands.ts';
import type { ForkCommand } from '../../events/call-commands/fork.ts';

/** Hides where a fork goes from whoever keeps the snapshots of calls: its address and its key are secrets. */
export interface ForkSecrets {
  seal(text: string, forkId: string): string;
  /** Undefined where it was sealed by somebody else, or for another fork. */
  open(sealed: string, forkId: string): string | undefined;
}

/** A fork as one owner of its call leaves it to the next. */
export interface KeptFork {
  readonly id: string;
  readonly legId: string;
  /** Undefined where its secrets could not be kept: it ends here. */
  readonly command: ForkCommand | undefined;
  readonly sentFrames: number;
  readonly droppedFrames: number;
}

export function keepFork(
  { id, legId, command, sentFrames, droppedFrames }: KeptFork,
  secrets: ForkSecrets | undefined,
): JsonObject {
  const counted = { id, leg_id: legId, sent_frames: sentFrames, dropped_frames: droppedFrames };
  if (command === undefined) return counted;
  const { name: _, leg_id: __, url, api_key, ...args } = command;
  const sealed = secrets?.seal(JSON.stringify({ url, api_key }), id) ?? null;
  return { ...counted, command: args, sealed };
}

/** The other way round; undefined where it is not what was kept. */
export function readKeptFork(kept: unknown, secrets: ForkSecrets | undefined): KeptFork | undefined {
  if (!isObject(kept)) return undefined;
  const id = textOf(kept['id']);
  const legId = textOf(kept['leg_id']);
  if (id === undefined || legId === undefined) return undefined;
  return {
    id,
    legId,
    command: commandOf(kept, id, legId, secrets),
    sentFrames: numberOf(kept['sent_frames']) ?? 0,
    droppedFrames: numberOf(kept['dropped_frames']) ?? 0,
  };
}

function commandOf(
  { command: args, sealed }: JsonObject,
  id: string,
  leg_id: string,
  secrets: ForkSecrets | undefined,
): ForkCommand | undefined {
  const opened = typeof sealed === 'string' ? secrets?.open(sealed, id) : undefined;
  if (opened === undefined || !isObject(args)) return undefined;
  const command = readCallCommand('fork', { ...args, ...parseObject(opened), leg_id });
  return 'type' in command || command.name !== 'fork' ? undefined : command;
}
