import type { CallerOptions, DialectCaller } from '../../src/dialect/caller.ts';
import type { UpgradeFacts } from '../../src/dialect/proof.ts';
import type {
  Dialect,
  DialectSession,
  Inbound,
  ReadResult,
  StartedFacts,
  WireMessage,
} from '../../src/dialect/dialect.ts';
import { PCMU_8K, type AudioFormat } from '../../src/media/format.ts';

/** How often a seeded property is tried: all of it on demand, a hundredth in every run. */
export const numRuns = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 1_000 : 100_000;

/** A seed of its own for each run, unless one is to be repeated. The test prints it. */
export const seed = Number(process.env['OMNIVOICE_TEST_SEED'] ?? Date.now() % 0x7fff_ffff);

export function openInbound(payloadBytes = 64 * 1024): Inbound {
  return { payload: new Uint8Array(payloadBytes), payloadBytes: 0, sequence: -1, timestampMs: -1 };
}

/** The payload of what was read last. */
export function payloadOf(inbound: Inbound): Buffer {
  return Buffer.from(inbound.payload.subarray(0, inbound.payloadBytes));
}

export const CALLER_OPTIONS: CallerOptions = {
  nowMs: 0,
  format: PCMU_8K,
  from: '+15550100',
  to: '+15550199',
  parameters: { lead_id: '884' },
  streamId: 'MZ0123456789abcdef0123456789abcdef',
  callId: 'CA0123456789abcdef0123456789abcdef',
  options: {},
  rtpHeaders: false,
};

/** Fails where a message was only collected: for dialects whose every frame is a message. */
export function given<T>(message: T | undefined): T {
  if (message === undefined) throw new Error('no message was made');
  return message;
}

/** An upgrade that says nothing beyond its path. */
export const NO_UPGRADE: UpgradeFacts = { method: 'GET', headers: {}, target: '/', urls: [] };

export interface Line {
  readonly caller: DialectCaller;
  readonly session: DialectSession;
  readonly inbound: Inbound;
  readonly say: (message: WireMessage) => ReadResult;
  readonly text: (value: unknown) => ReadResult;
}

/** What tests speak a dialect in: PCMU where it can, else what it wants most. */
export function formatOf({ formats }: Dialect): AudioFormat {
  return formats.find(({ codec }) => codec === 'pcmu') ?? formats[0]!;
}

/** The upgrade a caller of the dialect would send. */
export function upgradeOf({ upgradeHeaders, subprotocols }: DialectCaller): UpgradeFacts {
  const headers = Object.entries(upgradeHeaders).map(([name, value]) => [name.toLowerCase(), value]);
  const offered = subprotocols.length === 0 ? {} : { 'sec-websocket-protocol': subprotocols.join(', ') };
  return { ...NO_UPGRADE, headers: { ...Object.fromEntries(headers), ...offered } };
}

/** Both ends of one protocol, with nothing between them. */
export function openLine(dialect: Dialect, options: Partial<CallerOptions> = {}): Line {
  const caller = dialect.openCaller({ ...CALLER_OPTIONS, format: formatOf(dialect), ...options });
  const session = dialect.openSession({ nowMs: 0, upgrade: upgradeOf(caller), options: {} });
  const inbound = openInbound();
  return {
    caller,
    session,
    inbound,
    say: ({ bytes, isBinary }) => session.read(bytes, isBinary, inbound),
    text: (value) => session.read(textBytes(value), false, inbound),
  };
}

/** As `openLine`, after the caller's hello and whatever its protocol answers to it. */
export function openStartedLine(dialect: Dialect, options: Partial<CallerOptions> = {}): Line {
  const line = openLine(dialect, options);
  for (const message of line.caller.hello()) exchange(line, message);
  return line;
}

/** What the house says of a leg that has started. */
export const STARTED_FACTS: StartedFacts = {
  callId: 'call_1',
  legId: 'leg_1',
  resumed: false,
  resumeToken: null,
  resumeUrls: [],
  resumeWindowMs: 0,
};

/** More answers to answers than any protocol has. */
const ANSWERS_MAX = 20;

/** Says it, and carries answers there and back until nobody has one: what the session made of all that. */
export function exchange(line: Line, message: WireMessage): readonly ReadResult[] {
  const { caller, session, say, inbound } = line;
  const results: ReadResult[] = [];
  const waiting = [message];
  const hear = (words: WireMessage | undefined): void => {
    const heard = words === undefined ? undefined : caller.read(words.bytes, words.isBinary, inbound);
    if (heard?.type === 'refusal') throw new Error(`the caller refuses: ${heard.detail}`);
    if (heard?.type === 'reply') waiting.push(heard.message);
  };
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const result = say(next);
    for (const one of result.type === 'several' ? result.inputs : [result]) {
      results.push(one);
      if (one.type === 'started') hear(session.writeStarted(STARTED_FACTS));
      if (one.type === 'reply') hear(one.message);
    }
    if (results.length > ANSWERS_MAX) throw new Error('they answer each other without end');
  }
  return results;
}

/** JSON of a value, or a text as it is. */
export function textBytes(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

/** What a text message says. */
export function saidBy(message: WireMessage | undefined): unknown {
  if (message === undefined) return undefined;
  return JSON.parse(Buffer.from(message.bytes).toString());
}

/** A frame a reader can check by eye: bytes that count up from `first`. */
export function rampFrame(first = 0, bytes = 160): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (first + i) & 0xff);
}
