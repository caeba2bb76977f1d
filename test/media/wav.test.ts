import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAlawInto, encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readWav, wavHeader, writeWav } from '../../src/media/wav.ts';

const RAMP = Int16Array.from({ length: 200 }, (_, i) => (i - 100) * 300);

interface Facts {
  readonly tag?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
  readonly dataBytes?: number;
  readonly before?: Uint8Array;
  readonly fmtExtra?: Uint8Array;
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** A file put together by hand, chunk by chunk. */
function fileOf(data: Uint8Array, facts: Facts = {}): Uint8Array {
  const fmt = Buffer.alloc(16);
  fmt.writeUInt16LE(facts.tag ?? 1, 0);
  fmt.writeUInt16LE(facts.channels ?? 1, 2);
  fmt.writeUInt32LE(facts.sampleRateHz ?? 8000, 4);
  fmt.writeUInt16LE(facts.bits ?? 16, 14);
  const fmtBody = Buffer.concat([fmt, facts.fmtExtra ?? Buffer.alloc(0)]);
  const chunks = [
    facts.before ?? Buffer.alloc(0),
    Buffer.from('fmt '),
    uint32(fmtBody.length),
    fmtBody,
    Buffer.from('data'),
    uint32(facts.dataBytes ?? data.length),
    data,
  ];
  return Buffer.concat([Buffer.from('RIFF'), uint32(0), Buffer.from('WAVE'), ...chunks]);
}

function pcm(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer.slice(0));
}

describe('a WAV file', () => {
  it.each([8000, 16_000, 48_000])('that we wrote at %d Hz reads back', (sampleRateHz) => {
    const file = writeWav(RAMP, sampleRateHz);
    expect(readWav(file)).toEqual({ sampleRateHz, samples: RAMP });
    expect(file.length).toBe(44 + 400);
  });

  it('has the header everybody expects', () => {
    const header = Buffer.from(wavHeader(8000, 2, 640));
    expect(header.subarray(0, 4).toString()).toBe('RIFF');
    expect(header.readUInt32LE(4)).toBe(36 + 640);
    expect(header.subarray(8, 16).toString()).toBe('WAVEfmt ');
    const fields = [header.readUInt32LE(16), header.readUInt16LE(20), header.readUInt16LE(22)];
    expect(fields).toEqual([16, 1, 2]);
    expect([header.readUInt32LE(24), header.readUInt32LE(28)]).toEqual([8000, 32_000]);
    expect([header.readUInt16LE(32), header.readUInt16LE(34)]).toEqual([4, 16]);
    expect(header.subarray(36, 40).toString()).toBe('data');
    expect(header.readUInt32LE(40)).toBe(640);
  });

  it('in stereo is mixed to mono', () => {
    const stereo = pcm(Int16Array.of(100, 300, -32_768, -32_768, 32_767, 32_767, 5, -5));
    const read = readWav(fileOf(stereo, { channels: 2 }));
    expect(read).toEqual({ sampleRateHz: 8000, samples: Int16Array.of(200, -32_768, 32_767, 0) });
  });

  it.each([
    { law: 'A-law', tag: 6, encodeInto: encodeAlawInto },
    { law: 'µ-law', tag: 7, encodeInto: encodeMulawInto },
  ])('in $law is decoded', ({ tag, encodeInto }) => {
    const codes = new Uint8Array(200);
    encodeInto(RAMP, codes);
    const read = readWav(fileOf(codes, { tag, bits: 8 }));
    expect(read).toMatchObject({ sampleRateHz: 8000 });
    const again = new Uint8Array(200);
    encodeInto('samples' in read ? read.samples : new Int16Array(200), again);
    expect(again).toEqual(codes);
  });

  it('may carry other chunks before its sound, of odd length too', () => {
    const before = Buffer.concat([Buffer.from('LIST'), uint32(5), Buffer.from('hello\0')]);
    expect(readWav(fileOf(pcm(RAMP), { before }))).toEqual({ sampleRateHz: 8000, samples: RAMP });
  });

  it('may be of the extensible kind', () => {
    const fmtExtra = Buffer.alloc(24);
    fmtExtra.writeUInt16LE(1, 8);
    const read = readWav(fileOf(pcm(RAMP), { tag: 0xfffe, fmtExtra }));
    expect(read).toEqual({ sampleRateHz: 8000, samples: RAMP });
  });

  it.each([0xffff_ffff, 0x7fff_f024])('whose length %d was left open is read to its end', (dataBytes) => {
    expect(readWav(fileOf(pcm(RAMP), { dataBytes }))).toEqual({ sampleRateHz: 8000, samples: RAMP });
  });

  it.each([
    ['nothing', new Uint8Array(0), /no RIFF\/WAVE/],
    ['another file', Buffer.from('ID3 and then a song, surely'), /no RIFF\/WAVE/],
    ['a header alone', Buffer.from('RIFF\0\0\0\0WAVE'), /no whole fmt/],
    ['a cut fmt chunk', writeWav(RAMP, 8000).subarray(0, 30), /no whole fmt/],
    ['no data chunk', writeWav(RAMP, 8000).subarray(0, 36), /no whole data/],
    ['fewer bytes than it says', writeWav(RAMP, 8000).subarray(0, 100), /no whole data/],
  ])('with %s is refused as malformed', (_, file, reason) => {
    const read = readWav(file);
    expect(read).toMatchObject({ type: 'refusal', fault: 'invalid_argument' });
    expect('detail' in read && read.detail).toMatch(reason);
  });

  it.each([
    [{ tag: 3, bits: 32 }, /format tag 3/],
    [{ bits: 24 }, /24 bits/],
    [{ tag: 7, bits: 16 }, /16 bits/],
    [{ channels: 6 }, /6 channels/],
    [{ channels: 0 }, /0 channels/],
    [{ sampleRateHz: 0 }, /0 Hz/],
    [{ tag: 0xfffe }, /format tag 65534/],
  ])('of a kind we do not read, %j, is refused by name', (facts, reason) => {
    const read = readWav(fileOf(pcm(RAMP), facts));
    expect(read).toMatchObject({ type: 'refusal', fault: 'unsupported_format' });
    expect('detail' in read && read.detail).toMatch(reason);
  });

  it('however broken is an answer, never an exception', () => {
    const whole = fileOf(pcm(RAMP));
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        (length, edits) => {
          const file = Uint8Array.from(whole);
          for (const [at, byte] of edits) file[at] = byte;
          const read = readWav(file.subarray(0, length));
          expect('samples' in read || read.type === 'refusal').toBe(true);
        },
      ),
    );
  });
});
