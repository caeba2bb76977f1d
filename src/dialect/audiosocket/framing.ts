/** Kind and length, big-endian, before each payload (res_audiosocket.c). */
export const HEADER_BYTES = 3;

export const KIND_HANGUP = 0x00;
export const KIND_UUID = 0x01;
export const KIND_DTMF = 0x03;
/**
 * 16-bit samples, low byte first: each rate is a kind of its own. 12 000 and 44 100 Hz are nobody's here.
 */
const RATES_HZ: ReadonlyMap<number, number> = new Map([
  [0x10, 8000],
  [0x12, 16_000],
  [0x13, 24_000],
  [0x14, 32_000],
  [0x16, 48_000],
]);

/** Whether a kind is audio, of whichever rate. */
export function isAudioKind(kind: number): boolean {
  return kind >= 0x10 && kind <= 0x18;
}

/** The rate of a kind of audio; undefined where it is none that is spoken. */
export function rateOfKind(kind: number): number | undefined {
  return RATES_HZ.get(kind);
}

/** The kind of audio at a rate. */
export function kindOfRate(sampleRateHz: number): number | undefined {
  for (const [kind, rateHz] of RATES_HZ) if (rateHz === sampleRateHz) return kind;
  return undefined;
}

/** A whole message. */
export function framed(kind: number, payload: Uint8Array): Buffer {
  const message = Buffer.alloc(HEADER_BYTES + payload.length);
  message.writeUInt8(kind, 0);
  message.writeUInt16BE(payload.length, 1);
  message.set(payload, HEADER_BYTES);
  return message;
}

/** Audio behind its header, written in place: what `write` returned before is overwritten. */
export class FramedAudio {
  readonly #kind: number;
  #message: Buffer = Buffer.alloc(0);

  constructor(kind: number) {
    this.#kind = kind;
  }

  write(frame: Uint8Array): Uint8Array {
    if (this.#message.length === HEADER_BYTES + frame.length) this.#message.set(frame, HEADER_BYTES);
    else this.#message = framed(this.#kind, frame);
    return this.#message;
  }
}
