import type { CallerOptions } from '../../src/dialect/caller.ts';
import type { Dialect, Inbound } from '../../src/dialect/dialect.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { frameBytes, type AudioFormat } from '../../src/media/format.ts';
import type { Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

/** Messages that are taken turns with: more than any cache line remembers, fewer than memory notices. */
const MESSAGES = 512;
/** Wire counters keep this many digits for the whole run. */
const FIRST_INDEX = 200_000;
/** Measured one by one elsewhere. */
const MEASURED_ELSEWHERE = ['native', 'twilio'];

/** A message of audio into the house and out of it, in every dialect, as its provider says and hears it. */
export function dialectKernels(speech: Speech): Kernel[] {
  return DIALECTS.filter(({ name }) => !MEASURED_ELSEWHERE.includes(name)).flatMap((dialect) =>
    kernelsOf(dialect, speech),
  );
}

function kernelsOf(dialect: Dialect, speech: Speech): Kernel[] {
  const format = dialect.formats[0]!;
  const inbound: Inbound = {
    payload: new Uint8Array(65_536),
    payloadBytes: 0,
    sequence: -1,
    timestampMs: -1,
  };
  const caller = dialect.openCaller({ ...CALLER_OPTIONS, format });
  const session = dialect.openSession({
    nowMs: 0,
    upgrade: { method: 'GET', headers: {}, target: '/', urls: [] },
    options: {},
  });
  let outbound = format;
  for (const { bytes, isBinary } of caller.hello()) {
    const result = session.read(bytes, isBinary, inbound);
    if (result.type === 'started') ({ outbound } = result);
  }
  const messages: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];
  const spoken = frameOf(speech, format);
  for (let index = FIRST_INDEX; messages.length < MESSAGES; index++) {
    const message = caller.audio(spoken, index);
    // The caller writes each message over the one before.
    if (message !== undefined) messages.push({ ...message, bytes: Buffer.from(message.bytes) });
  }
  const heard = frameOf(speech, outbound);
  return [
    {
      name: `${dialect.name} read, a message`,
      run: (i) => {
        const { bytes, isBinary } = messages[i % MESSAGES]!;
        session.read(bytes, isBinary, inbound);
      },
      peer: {
        name: messages[0]!.isBinary ? 'Buffer.from' : 'JSON.parse',
        run: (i) => {
          const { bytes, isBinary } = messages[i % MESSAGES]!;
          if (isBinary) Buffer.from(bytes);
          else JSON.parse(bytes.toString());
        },
      },
    },
    { name: `${dialect.name} write, a frame`, run: () => void session.writeAudio(heard) },
  ];
}

/** Bytes of the sample that make one frame of a format; which ones does not matter to the wire. */
function frameOf({ mulaw }: Speech, format: AudioFormat): Uint8Array {
  return mulaw.slice(0, frameBytes(format));
}

const CALLER_OPTIONS: Omit<CallerOptions, 'format'> = {
  nowMs: 0,
  from: null,
  to: null,
  parameters: {},
  streamId: '2f6c1a8e-1d2b-4c3d-9e0f-aabbccddeeff',
  callId: '66666666-7777-4888-9999-000000000000',
  options: {},
  rtpHeaders: false,
};
