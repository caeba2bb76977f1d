import { base64Bytes, decodeBase64Into, encodeBase64Into } from '../../src/base/base64.ts';
import type { DialectSession, Inbound } from '../../src/dialect/dialect.ts';
import { NativeCaller } from '../../src/dialect/native/caller.ts';
import { nativeDialect } from '../../src/dialect/native/dialect.ts';
import { twilioDialect } from '../../src/dialect/twilio/dialect.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import { connectedWords, mediaHead, mediaTail, startWords } from '../load/twilio-words.ts';
import { dialectKernels } from './dialect-kernels.ts';
import type { Kernel } from './measure.ts';

const STREAM_SID = 'MZ00000000000000000000000000000000';

/** Everything between a wire message and codec bytes. */
export function wireKernels(speech: Speech): Kernel[] {
  return [
    ...base64Kernels(speech),
    ...twilioKernels(speech),
    ...nativeKernels(speech),
    ...dialectKernels(speech),
  ];
}

function base64Kernels({ mulaw, payloads }: Speech): Kernel[] {
  const decoded = new Uint8Array(FRAME_SAMPLES + 2);
  const encoded = new Uint8Array(base64Bytes(FRAME_SAMPLES));
  const frames = payloads.map((_, i) => mulaw.slice(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES));
  const buffers = frames.map((frame) => Buffer.from(frame));
  const texts = payloads.map((payload) => payload.toString('latin1'));
  const { length } = payloads;
  return [
    {
      name: 'base64 decode, 160 bytes',
      run: (i) => decodeBase64Into(payloads[i % length]!, 0, payloads[0]!.length, decoded),
      peer: { name: 'Buffer.from(text)', run: (i) => void Buffer.from(texts[i % length]!, 'base64') },
    },
    {
      name: 'base64 encode, 160 bytes',
      run: (i) => encodeBase64Into(frames[i % length]!, FRAME_SAMPLES, encoded, 0),
      peer: { name: 'Buffer.toString', run: (i) => void buffers[i % length]!.toString('base64') },
    },
  ];
}

function twilioKernels(speech: Speech): Kernel[] {
  const inbound = openInbound();
  const messages = mediaMessages(speech, 100_000);
  // Every second one has one digit more: none has the shape of the one before.
  const longer = mediaMessages(speech, 1_000_000);
  const { length } = messages;
  const session = openTwilio(inbound);
  const other = openTwilio(inbound);
  const frame = speech.mulaw.slice(0, FRAME_SAMPLES);
  const buffer = Buffer.from(frame);
  const parse = {
    name: 'JSON.parse + Buffer.from',
    run: (i: number) => {
      const { media } = JSON.parse(messages[i % length]!.toString()) as { media: { payload: string } };
      Buffer.from(media.payload, 'base64');
    },
  };
  return [
    {
      name: 'Twilio read: media to bytes',
      run: (i) => session.read(messages[i % length]!, false, inbound),
      peer: parse,
    },
    {
      name: 'Twilio read, another shape each time',
      run: (i) => other.read((i % 2 === 0 ? messages : longer)[i % length]!, false, inbound),
      peer: parse,
    },
    {
      name: 'Twilio write: bytes to media',
      run: () => session.writeAudio(frame),
      peer: {
        name: 'JSON.stringify',
        run: () => {
          const payload = buffer.toString('base64');
          Buffer.from(JSON.stringify({ event: 'media', streamSid: STREAM_SID, media: { payload } }));
        },
      },
    },
  ];
}

function nativeKernels({ mulaw }: Speech): Kernel[] {
  const inbound = openInbound();
  const session = nativeDialect.openSession({
    nowMs: 0,
    upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
    options: {},
  });
  const caller = new NativeCaller({
    nowMs: 0,
    format: PCMU_8K,
    from: null,
    to: null,
    parameters: {},
    streamId: 'stream',
    callId: 'call',
    options: {},
    rtpHeaders: true,
  });
  for (const { bytes, isBinary } of caller.hello()) session.read(bytes, isBinary, inbound);
  const frame = mulaw.slice(0, FRAME_SAMPLES);
  const packets = Array.from({ length: 512 }, (_, i) => Buffer.from(caller.audio(frame, i).bytes));
  const packet = new Uint8Array(packets[0]!.length);
  const move = { name: 'TypedArray.set', run: (i: number) => packet.set(packets[i & 511]!) };
  return [
    { name: 'native read with RTP', run: (i) => session.read(packets[i & 511]!, true, inbound), peer: move },
    { name: 'native write with RTP', run: () => session.writeAudio(frame), peer: move },
  ];
}

/** The sample as media messages whose counters begin at `first`. */
export function mediaMessages({ payloads }: Speech, first: number): Buffer[] {
  return payloads.map((payload, i) =>
    Buffer.from(mediaHead(first + i, first + i) + payload.toString('latin1') + mediaTail(STREAM_SID)),
  );
}

function openTwilio(inbound: Inbound): DialectSession {
  const session = twilioDialect.openSession({
    nowMs: 0,
    upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
    options: {},
  });
  for (const words of [connectedWords(), startWords(STREAM_SID, 'CA0')]) {
    session.read(Buffer.from(words), false, inbound);
  }
  return session;
}

function openInbound(): Inbound {
  return { payload: new Uint8Array(65_536), payloadBytes: 0, sequence: -1, timestampMs: -1 };
}
