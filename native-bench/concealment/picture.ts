import { crc32, deflateSync } from 'node:zlib';
import { Spectrum } from './spectrum.ts';

const WIDTH = 900;
const WAVE_HEIGHT = 130;
const SPECTRUM_HEIGHT = 150;
const HEIGHT = WAVE_HEIGHT + SPECTRUM_HEIGHT;
const WINDOW_SAMPLES = 256;
const QUIETEST_DB = -75;
const LOUDEST_DB = -20;
const PAPER = [255, 255, 255] as const;
const GAP = [255, 214, 204] as const;
const WAVE = [31, 78, 121] as const;

type Colour = readonly [number, number, number];

/**
 * A sound as a PNG: its wave above, its spectrum below from nothing at the bottom to half its rate at the top;
 * darker is louder, and frames that were lost have a red ground.
 */
export function pictureOf(sound: Int16Array, lost: Uint8Array, frameSamples: number): Uint8Array {
  const pixels = Buffer.alloc(HEIGHT * (1 + 3 * WIDTH));
  const spectrum = new Spectrum(WINDOW_SAMPLES);
  for (let x = 0; x < WIDTH; x++) {
    const from = Math.floor((x * sound.length) / WIDTH);
    const to = Math.floor(((x + 1) * sound.length) / WIDTH);
    const isLost = lost[Math.floor((from + to) / 2 / frameSamples)] === 1;
    drawWave(pixels, x, sound.subarray(from, to), isLost);
    drawSpectrum(pixels, x, spectrum.measure(sound, (from + to - WINDOW_SAMPLES) >> 1), isLost);
  }
  return png(pixels);
}

function drawWave(pixels: Buffer, x: number, samples: Int16Array, isLost: boolean): void {
  const middle = WAVE_HEIGHT / 2;
  const top = middle - (Math.max(...samples) / 20_000) * middle;
  const bottom = middle - (Math.min(...samples) / 20_000) * middle;
  for (let y = 0; y < WAVE_HEIGHT; y++) {
    const isInk = y >= Math.floor(top) && y <= Math.ceil(bottom);
    paint(pixels, x, y, isInk ? WAVE : isLost ? GAP : PAPER);
  }
}

function drawSpectrum(pixels: Buffer, x: number, power: Float64Array, isLost: boolean): void {
  const ground = isLost ? GAP : PAPER;
  for (let y = 0; y < SPECTRUM_HEIGHT; y++) {
    const k = Math.floor(((SPECTRUM_HEIGHT - 1 - y) * power.length) / SPECTRUM_HEIGHT);
    const levelDb = 10 * Math.log10(power[k]! / 32_768 ** 2 + 1e-12);
    const ink = Math.min(1, Math.max(0, (levelDb - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
    paint(pixels, x, WAVE_HEIGHT + y, ground.map((value) => (1 - ink) * value) as unknown as Colour);
  }
}

function paint(pixels: Buffer, x: number, y: number, [red, green, blue]: Colour): void {
  const at = y * (1 + 3 * WIDTH) + 1 + 3 * x;
  // Sixteen shades of each are enough, and pack well.
  pixels[at] = (red & 0xf0) | 0x0f;
  pixels[at + 1] = (green & 0xf0) | 0x0f;
  pixels[at + 2] = (blue & 0xf0) | 0x0f;
}

/** PNG (ISO/IEC 15948): eight bits of red, green and blue, no filter. */
function png(pixels: Buffer): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
