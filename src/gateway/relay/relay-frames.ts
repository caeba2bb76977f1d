import { isObject, parseObject } from '../../base/json.ts';
import type { Opening } from '../arrivals.ts';

/** What a relay says over the link of two nodes (cluster.md §2.7); the handle is the leg's. */
export const RELAY = {
  /** To the owner of the call: who comes, and what it has said so far. */
  open: 16,
  heardText: 17,
  heardBinary: 18,
  /** The client's socket is gone. */
  lost: 19,
  /** The client's socket has bytes that wait, and has none any more. */
  busy: 20,
  idle: 21,
  /** The node of the socket leaves: the client is wanted at its call's own node. */
  leaving: 22,
  /** From the owner, to go out to the client. */
  sentText: 32,
  sentBinary: 33,
  audioText: 34,
  audioBinary: 35,
  close: 36,
  pause: 37,
  readOn: 38,
  /** It is a leg of its call now: what it would come back with, should the call move. */
  seated: 39,
  /** The owner leaves: the node of the socket is to come for the call, which goes on as it is until then. */
  fetch: 40,
} as const;

/** What an old socket still says, to the node that was given its call; the handle is the leg's. */
export const TAIL = {
  text: 48,
  binary: 49,
  /** The old socket is closed: nothing more comes. */
  end: 50,
} as const;

/** More than this waits on the link, and audio of relayed legs is dropped. */
export const RELAY_UNSENT_BYTES_MAX = 256 * 1024;

/** The way to the other end: a link between two nodes fits. */
export interface RelayWay {
  readonly bufferedBytes: number;
  /** Sends a copy; false where it was not sent. */
  carry(type: number, handle: number, payload: Uint8Array): boolean;
}

const EMPTY = new Uint8Array(0);

export function signal(way: RelayWay, type: number, handle: number, value?: object): boolean {
  return way.carry(type, handle, value === undefined ? EMPTY : Buffer.from(JSON.stringify(value)));
}

/** Bytes do not go into JSON as they are. */
export function packOpening({ messages, ...rest }: Opening): object {
  const packed = messages.map(({ bytes, isBinary }) => [Buffer.from(bytes).toString('base64'), isBinary]);
  return { ...rest, messages: packed };
}

/** As a node of our own packed it; undefined for what is none. */
export function readOpening(payload: Buffer): (Opening & { readonly who: object }) | undefined {
  const { messages, upgrade, options, dialect, who } = parseObject(payload) ?? {};
  if (!isObject(upgrade) || !isObject(options) || !isObject(who)) return undefined;
  if (typeof dialect !== 'string' || !Array.isArray(messages)) return undefined;
  const said = messages.map(([text, isBinary]) => ({
    bytes: Buffer.from(String(text), 'base64'),
    isBinary: isBinary === true,
  }));
  return { ...({ upgrade, options } as unknown as Opening), dialect, who, messages: said };
}
