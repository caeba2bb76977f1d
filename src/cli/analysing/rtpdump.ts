import { VoiceError } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import { frameBytes, l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { Delivery, Recording } from './recording.ts';
import { eventTypesOf, keysOf, type EventPacket } from './telephone-events.ts';
import { areWhole, wholeFrames, type SoundPacket } from './whole-frames.ts';

// The format of `rtpdump -F dump` (rtptools): a line of text, 16 bytes of header, and then each packet behind
// its length, the length of its RTP part (0: RTCP) and when it came, in ms.
const MAGIC = '#!rtpplay1.0 ';
const FILE_HEADER_BYTES = 16;
const PACKET_HEADER_BYTES = 8;
const RTP_HEADER_BYTES = 12;
const LINE_BYTES_MAX = 256;
const NEWLINE = 10;
const TURN = 0x1_0000_0000;
const NOTHING = new Uint8Array(0);

/** What a payload type means, and how fast its timestamps run (RFC 3551 §6). */
interface PayloadType {
  readonly format: AudioFormat;
  readonly clockHz: number;
}

const STATIC_TYPES: { readonly [type: number]: PayloadType } = {
  0: { format: PCMU_8K, clockHz: 8000 },
  8: { format: PCMA_8K, clockHz: 8000 },
  // 16 kHz by a clock of 8 kHz: an error of RFC 1890 that is kept alive.
  9: { format: { codec: 'g722', sampleRateHz: 8000, littleEndian: false }, clockHz: 8000 },
  11: { format: l16(44_100, false), clockHz: 44_100 },
};

interface Packet extends EventPacket {
  readonly atMs: number;
  readonly source: number;
  readonly sequence: number;
}

/** Whether a file begins as rtpdump's do. */
export function isRtpdump(file: Uint8Array): boolean {
  return Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, MAGIC.length)).equals(
    Buffer.from(MAGIC),
  );
}

/** The first audio stream of a capture. `dynamic` says what payload types from 96 on carry. */
export function readRtpdump(file: Uint8Array, dynamic: AudioFormat | undefined): Recording {
  const packets = packetsOf(file);
  const eventTypes = eventTypesOf(packets);
  const typeOf = (number: number): PayloadType | undefined => {
    const isAudio = number >= 96 && dynamic !== undefined && !eventTypes.has(number);
    return STATIC_TYPES[number] ?? (isAudio ? dynamicType(dynamic) : undefined);
  };
  const first = packets.find(({ payloadType }) => typeOf(payloadType) !== undefined);
  if (first === undefined) {
    const types = [...new Set(packets.map(({ payloadType }) => payloadType))].join(', ');
    const advice = types === '' ? 'it has no packets' : `payload types ${types}; say --codec for 96 to 127`;
    throw new VoiceError('unsupported_format', `no audio in the capture is known: ${advice}`);
  }
  const { format, clockHz } = typeOf(first.payloadType)!;
  const spoken = packets.filter(({ source }) => source === first.source);
  const own = spoken.filter(({ payloadType }) => payloadType === first.payloadType);
  // Keys have the audio's source, timestamps and clock (RFC 4733 §2.1).
  const events = spoken.filter(({ payloadType }) => eventTypes.has(payloadType));
  return {
    format,
    isLossy: true,
    otherPackets: packets.length - own.length - events.length,
    toldKeys: keysOf(events, { startedAt: first.timestamp, clockHz }),
    deliveries: () => deliver(inFrames(own, { format, clockHz }), { startedAt: own[0]!.timestamp, clockHz }),
  };
}

/** A leg takes whole frames of 20 ms; other packets are common on the wire (RFC 3551 §4.2). */
function inFrames(packets: readonly Packet[], { format, clockHz }: PayloadType): Iterable<SoundPacket> {
  const shape = { frameBytes: frameBytes(format), frameTicks: (clockHz * FRAME_MS) / 1000 };
  if (shape.frameBytes === 0 || areWhole(packets, shape)) return packets;
  return wholeFrames(packets, shape);
}

function* deliver(
  packets: Iterable<SoundPacket>,
  { startedAt, clockHz }: { readonly startedAt: number; readonly clockHz: number },
): Generator<Delivery> {
  const delivery: Delivery = {
    payload: NOTHING,
    payloadBytes: 0,
    sequence: 0,
    timestampMs: 0,
    atMs: 0,
  };
  // Timestamps wrap at 32 bits: they are told as a number that goes on, from a turn above zero.
  let before = startedAt;
  let timestamp = TURN;
  for (const packet of packets) {
    timestamp += (packet.timestamp - before) | 0;
    before = packet.timestamp;
    delivery.payload = packet.payload;
    delivery.payloadBytes = packet.payload.length;
    delivery.sequence = packet.sequence;
    delivery.timestampMs = (timestamp * 1000) / clockHz;
    delivery.atMs = packet.atMs;
    yield delivery;
  }
}

function packetsOf(file: Uint8Array): readonly Packet[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const lineEnd = file.subarray(0, LINE_BYTES_MAX).indexOf(NEWLINE);
  let at = lineEnd + 1 + FILE_HEADER_BYTES;
  if (lineEnd < 0 || at > file.length) throw cutOff('its header');
  const packets: Packet[] = [];
  while (at < file.length) {
    if (at + PACKET_HEADER_BYTES > file.length) throw cutOff(`packet ${packets.length + 1}`);
    const bytes = view.getUint16(at);
    const rtpBytes = Math.min(view.getUint16(at + 2), bytes - PACKET_HEADER_BYTES);
    if (bytes < PACKET_HEADER_BYTES || at + bytes > file.length) throw cutOff(`packet ${packets.length + 1}`);
    const rtp = file.subarray(at + PACKET_HEADER_BYTES, at + PACKET_HEADER_BYTES + rtpBytes);
    const packet = readPacket(rtp, view.getUint32(at + 4));
    if (packet !== undefined) packets.push(packet);
    at += bytes;
  }
  // The capture's own order is the order of arrival; clocks that step back are not.
  for (let i = 1; i < packets.length; i++) {
    if (packets[i]!.atMs < packets[i - 1]!.atMs) packets[i] = { ...packets[i]!, atMs: packets[i - 1]!.atMs };
  }
  return packets;
}

/** RFC 3550 §5.1; undefined where it is RTCP or anything else. */
function readPacket(rtp: Uint8Array, atMs: number): Packet | undefined {
  if (rtp.length < RTP_HEADER_BYTES || rtp[0]! >> 6 !== 2) return undefined;
  const view = new DataView(rtp.buffer, rtp.byteOffset, rtp.byteLength);
  let from = RTP_HEADER_BYTES + 4 * (rtp[0]! & 0x0f);
  if ((rtp[0]! & 0x10) !== 0) {
    if (from + 4 > rtp.length) return undefined;
    from += 4 + 4 * view.getUint16(from + 2);
  }
  const paddingBytes = (rtp[0]! & 0x20) === 0 ? 0 : rtp.at(-1)!;
  const to = rtp.length - paddingBytes;
  if (from >= to) return undefined;
  return {
    atMs,
    payloadType: rtp[1]! & 0x7f,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    source: view.getUint32(8),
    payload: rtp.subarray(from, to),
  };
}

function dynamicType(format: AudioFormat): PayloadType {
  if (format.codec === 'opus') return { format, clockHz: 48_000 };
  return { format, clockHz: format.codec === 'g722' ? 8000 : format.sampleRateHz };
}

function cutOff(what: string): VoiceError {
  return new VoiceError('unsupported_format', `the capture is cut off within ${what}`);
}
