import { describe, expect, it } from 'vitest';
import { loadOpus, openOpus } from '../../../src/media/codecs/opus/opus.ts';
import { PacketDemuxer } from '../../../src/media/containers/demuxer.ts';
import { crcOf } from '../../../src/media/containers/ogg-page.ts';
import { OggOpusWriter } from '../../../src/media/containers/ogg-opus-writer.ts';
import { oggOf, opusdec } from '../codecs/opus/opus-tools.ts';

interface Page {
  readonly flags: number;
  readonly granule: number;
  readonly serial: number;
  readonly sequence: number;
  readonly isIntact: boolean;
}

function pagesOf(stream: Uint8Array): Page[] {
  const bytes = Buffer.from(stream);
  const pages: Page[] = [];
  for (let at = 0; at < bytes.length;) {
    const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    const end = at + 27 + segments.length + segments.reduce((sum, lacing) => sum + lacing, 0);
    const page = Buffer.from(bytes.subarray(at, end));
    const crc = page.readUInt32LE(22);
    page.writeUInt32LE(0, 22);
    pages.push({
      flags: page[5]!,
      granule: Number(page.readBigInt64LE(6)),
      serial: page.readUInt32LE(14),
      sequence: page.readUInt32LE(18),
      isIntact: crcOf(page) === crc,
    });
    at = end;
  }
  return pages;
}

describe('an Ogg Opus file', () => {
  it('is pages of a second between its headers and its end, each with its checksum', () => {
    const pages = pagesOf(
      oggOf(
        Array.from({ length: 120 }, () => new Uint8Array(60)),
        16_000,
      ),
    );
    expect(pages.map((page) => page.flags)).toEqual([2, 0, 0, 0, 4]);
    expect(pages.map((page) => page.granule)).toEqual([0, 0, 48_000, 96_000, 115_200]);
    expect(pages.map((page) => page.sequence)).toEqual([0, 1, 2, 3, 4]);
    expect(pages.every((page) => page.isIntact && page.serial === 7)).toBe(true);
  });

  // The check value of CRC-32/MPEG-2 without its initial ones, as other Ogg writers have it.
  it('has the checksum of RFC 3533', () => {
    expect(crcOf(Buffer.from('123456789')).toString(16)).toBe('89a1897f');
  });

  it('holds packets of every length up to the longest', () => {
    const packets = [1, 2, 254, 255, 256, 509, 510, 511, 765, 1275, 7650].map((bytes) =>
      new Uint8Array(bytes).fill(bytes),
    );
    const heard: Uint8Array[] = [];
    const demuxer = new PacketDemuxer('ogg', (packet) => heard.push(Uint8Array.from(packet)));
    expect(demuxer.push(oggOf(packets, 48_000))).toBeUndefined();
    expect(heard).toEqual(packets);
    expect(demuxer.preSkipSamples).toBe(312);
  });

  it('starts a page early where a second has more segments than a page', () => {
    const writer = new OggOpusWriter({ serial: 1, inputSampleRateHz: 48_000 });
    const pages = [writer.begin()];
    for (let i = 0; i < 50; i++) {
      const page = writer.write(new Uint8Array(1275), 1275, 20);
      if (page !== undefined) pages.push(page);
    }
    pages.push(writer.end());
    // 1275 bytes are five full segments and an empty one: 42 packets a page.
    expect(pagesOf(Buffer.concat(pages)).map((page) => page.granule)).toEqual([0, 0, 42 * 960, 50 * 960]);
    expect(writer.stats).toEqual({ packets: 50, pages: 4 });
  });

  it('is as long for a player as what was said, less what the encoder looked ahead', async () => {
    await loadOpus();
    const codec = openOpus(16_000);
    const bytes = new Uint8Array(codec.packetBytesMax);
    const packets = Array.from({ length: 100 }, () =>
      bytes.slice(0, codec.encodeInto(new Int16Array(320), bytes)),
    );
    codec.close();
    expect(opusdec(oggOf(packets, 16_000), 48_000).length).toBe(100 * 960 - 312);
  });
});
