/** Keys by event code (RFC 4733 §3.2); the codes above are tones and signals of other lines. */
const DIGITS = '0123456789*#ABCD';
/** Event, end bit with reserved bit and volume, duration (RFC 4733 §2.3). */
const PAYLOAD_BYTES = 4;
const END_BIT = 0x80;
const RESERVED_BIT = 0x40;

/** A packet of a capture, as far as keys are concerned. */
export interface EventPacket {
  readonly payloadType: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** A key that was told beside the sound: when it went down, counted from the first packet of audio. */
export interface ToldKey {
  readonly digit: string;
  readonly onsetMs: number;
  readonly durationMs: number;
}

interface Press {
  readonly code: number;
  readonly timestamp: number;
  endTimestamp: number;
  hasEnded: boolean;
}

/**
 * The dynamic payload types that carry telephone events. A capture has no SDP that says so, but no codec
 * sends packets of just these four bytes, and nothing else.
 */
export function eventTypesOf(packets: readonly EventPacket[]): ReadonlySet<number> {
  const found = new Set<number>();
  const others = new Set<number>();
  for (const packet of packets) {
    if (packet.payloadType < 96) continue;
    (isEvent(packet.payload) ? found : others).add(packet.payloadType);
  }
  return new Set([...found].filter((type) => !others.has(type)));
}

/**
 * The keys that packets of telephone events tell (RFC 4733 §2.5), by the time they went down. Every press is
 * told many times, by the same timestamp; one longer than a duration can say goes on with a new one.
 */
export function keysOf(
  packets: readonly EventPacket[],
  { startedAt, clockHz }: { readonly startedAt: number; readonly clockHz: number },
): ToldKey[] {
  const presses = new Map<number, Press>();
  for (const { payload, timestamp: stamp } of packets) {
    const code = payload[0]!;
    // Timestamps wrap at 32 bits: all are told from the first one of the audio.
    const timestamp = (stamp - startedAt) | 0;
    if (DIGITS[code] === undefined) continue;
    const press = presses.get(timestamp) ?? segmentOf(presses, code, timestamp);
    const endTimestamp = timestamp + ((payload[2]! << 8) | payload[3]!);
    press.endTimestamp = Math.max(press.endTimestamp, endTimestamp);
    press.hasEnded ||= (payload[1]! & END_BIT) !== 0;
    presses.set(timestamp, press);
  }
  const ms = (samples: number): number => Math.round((1000 * samples) / clockHz);
  return [...new Set(presses.values())]
    .toSorted((a, b) => a.timestamp - b.timestamp)
    .map((press) => ({
      digit: DIGITS[press.code]!,
      onsetMs: ms(press.timestamp),
      durationMs: ms(press.endTimestamp - press.timestamp),
    }));
}

/** The press that goes on in a new segment (RFC 4733 §2.5.1.3), or a new one. */
function segmentOf(presses: ReadonlyMap<number, Press>, code: number, timestamp: number): Press {
  const last = [...presses.values()].at(-1);
  const goesOn = last?.code === code && !last.hasEnded && last.endTimestamp === timestamp;
  return goesOn ? last : { code, timestamp, endTimestamp: timestamp, hasEnded: false };
}

function isEvent(payload: Uint8Array): boolean {
  return (
    payload.length === PAYLOAD_BYTES && payload[0]! < DIGITS.length && (payload[1]! & RESERVED_BIT) === 0
  );
}
