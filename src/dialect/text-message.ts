import type { WireMessage } from './dialect.ts';

/** A JSON message of its own, for everything that is not audio. */
export function textMessage(value: object): WireMessage {
  return { bytes: Buffer.from(JSON.stringify(value)), isBinary: false };
}
