/** One packet of a capture. */
export interface CapturedPacket {
  readonly atMs: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
  readonly payloadType?: number;
}

/** A capture as `rtpdump -F dump` writes it. */
export function rtpdump(packets: readonly CapturedPacket[]): Buffer {
  const header = Buffer.concat([Buffer.from('#!rtpplay1.0 192.0.2.1/5004\n'), Buffer.alloc(16)]);
  return Buffer.concat([header, ...packets.map(packetOf)]);
}

function packetOf({ atMs, sequence, timestamp, payload, payloadType = 0 }: CapturedPacket): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(20 + payload.length, 0);
  bytes.writeUInt16BE(12 + payload.length, 2);
  bytes.writeUInt32BE(Math.round(atMs), 4);
  bytes.writeUInt8(0x80, 8);
  bytes.writeUInt8(payloadType, 9);
  bytes.writeUInt16BE(sequence & 0xffff, 10);
  bytes.writeUInt32BE(timestamp >>> 0, 12);
  bytes.writeUInt32BE(0x1234_5678, 16);
  return Buffer.concat([bytes, payload]);
}
