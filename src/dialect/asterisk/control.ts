import { parseObject, type JsonObject } from '../../base/json.ts';

/**
 * How an instance of Asterisk speaks beside the audio: the same for the whole call, and answered in kind.
 */
export type ControlFormat = 'plain' | 'json';

/** A longer command is ignored, with no more than a warning in Asterisk's log (chan_websocket.c). */
export const COMMAND_BYTES_MAX = 128;

/** What is said, whichever way: the word, and its fields. */
export interface ControlMessage {
  readonly word: string;
  readonly fields: JsonObject;
}

/** Words that name an id without a key where they are plain. */
const WITH_BARE_ID = [
  'MEDIA_BUFFERING_COMPLETED',
  'MEDIA_MARK_PROCESSED',
  'STOP_MEDIA_BUFFERING',
  'MARK_MEDIA',
];

/** An event or a command; undefined for what is neither. */
export function readControl(message: Uint8Array, format: ControlFormat): ControlMessage | undefined {
  if (format === 'plain') return readPlain(Buffer.from(message).toString());
  const parsed = parseObject(message);
  const word = parsed?.['event'] ?? parsed?.['command'];
  return parsed === undefined || typeof word !== 'string' ? undefined : { word, fields: parsed };
}

/** `{`, behind whatever blanks, begins JSON; no plain word does. */
export function controlFormatOf(message: Uint8Array): ControlFormat {
  return /^\s*\{/.test(Buffer.from(message.subarray(0, 16)).toString()) ? 'json' : 'plain';
}

/** A command or an event as it is sent. */
export function writeControl(
  format: ControlFormat,
  kind: 'command' | 'event',
  word: string,
  fields: Readonly<Record<string, string>> = {},
): Buffer {
  if (format === 'json') return Buffer.from(JSON.stringify({ [kind]: word, ...fields }));
  const { correlation_id: bareId, ...named } = fields;
  const pairs = Object.entries(named).map(([name, value]) => `${name}:${value}`);
  return Buffer.from([word, ...(bareId === undefined ? [] : [bareId]), ...pairs].join(' '));
}

// `DTMF_END digit:5 channel_id:1795217818.1`: no value holds a blank, but error texts, which come last.
function readPlain(text: string): ControlMessage | undefined {
  const [word = '', ...rest] = text.trim().split(' ');
  if (!/^[A-Z][A-Z_]*$/.test(word)) return undefined;
  if (WITH_BARE_ID.includes(word)) return { word, fields: { correlation_id: rest.join(' ') } };
  const pairs = rest.flatMap((pair) => {
    const [, name, value] = /^([a-z_]+):(.*)$/.exec(pair) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  });
  return { word, fields: Object.fromEntries(pairs) };
}
