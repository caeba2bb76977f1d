import type { CommandAnswer, Inbound, LegStarted, ReadResult, WireMessage } from '../dialect.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { ClientRequest, ClientSession } from '../client.ts';

/**
 * A session with a backend, with the words that telephony knows and backends do not left unsaid: it plays no
 * marks, holds no queue of ours, sends no digits.
 */
export abstract class BackendSession implements ClientSession {
  abstract readonly request: ClientRequest;
  abstract readonly audioIsBinary: boolean;
  abstract hello(): readonly WireMessage[];
  abstract read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult;
  abstract writeAudio(frame: Uint8Array): Uint8Array | undefined;

  writeEnd(_reason: string): WireMessage | undefined {
    return undefined;
  }

  writeDtmf(_digit: string): WireMessage | undefined {
    return undefined;
  }

  writeAnswer(_answer: CommandAnswer): WireMessage | undefined {
    return undefined;
  }

  writeMark(): undefined {}
  writeClear(): undefined {}
  writeStarted(): undefined {}
  writeEvent(): undefined {}
  writeGoaway(): undefined {}
}

/** The start of a backend: it has no numbers and no wishes, only ids and formats. */
export function backendStarted(
  sessionId: string | null,
  inbound: AudioFormat,
  outbound: AudioFormat,
): LegStarted {
  return {
    type: 'started',
    providerCallId: null,
    providerStreamId: sessionId,
    inbound,
    outbound,
    bidirectional: true,
    parameters: {},
    speechOnly: false,
    wantsEvents: false,
  };
}

/** The format to speak: the one that is wanted where the backend has it, else its own favourite. */
export function agreedFormat(wanted: AudioFormat, formats: readonly AudioFormat[]): AudioFormat {
  const same = formats.find(
    (format) =>
      format.codec === wanted.codec &&
      format.sampleRateHz === wanted.sampleRateHz &&
      format.littleEndian === wanted.littleEndian &&
      (format.channels ?? 1) === (wanted.channels ?? 1),
  );
  return same ?? formats[0]!;
}
