import { WebSocket, type RawData } from 'ws';
import {
  connectedWords,
  markWords,
  mediaHead,
  mediaTail,
  startWords,
  stopWords,
} from '../load/twilio-words.ts';

/** A telephone line into the house, 20 ms of µ-law a frame. */
export interface CallerLine {
  readonly isOpen: boolean;
  send(codes: Buffer): void;
  hangUp(): void;
}

export interface LineEars {
  heard(codes: Buffer): void;
  /** The house asks to drop what was not played yet. */
  cleared(): void;
  closed(): void;
}

export type LineDialect = 'twilio' | 'native';

interface TwilioWords {
  readonly event: string;
  readonly media?: { readonly payload: string };
  readonly mark?: { readonly name: string };
}

const STARTED_WITHIN_MS = 10_000;

/** Dials as this provider would, and plays all at once; the parameter `caller` tells an agent who calls. */
export async function dialLine(
  dialect: LineDialect,
  url: string,
  name: string,
  ears: LineEars,
): Promise<CallerLine> {
  const subprotocols = dialect === 'native' ? ['omnivoice.v1'] : [];
  const socket = new WebSocket(url, subprotocols, { perMessageDeflate: false });
  socket.on('close', () => ears.closed());
  await new Promise<void>((opened, failed) => {
    socket.once('open', opened).once('error', failed);
  });
  socket.on('error', () => socket.terminate());
  return dialect === 'native' ? await nativeLine(socket, name, ears) : twilioLine(socket, name, ears);
}

function twilioLine(socket: WebSocket, name: string, ears: LineEars): CallerLine {
  const streamSid = `MZ${name}`;
  const tail = mediaTail(streamSid);
  let sentFrames = 0;
  socket.on('message', (message: RawData) => {
    const said = JSON.parse(textOf(message)) as TwilioWords;
    if (said.event === 'mark') socket.send(markWords(streamSid, said.mark?.name ?? ''));
    else if (said.media !== undefined) ears.heard(Buffer.from(said.media.payload, 'base64'));
    else if (said.event === 'clear') ears.cleared();
  });
  socket.send(connectedWords());
  socket.send(startWords(streamSid, `CA${name}`, { caller: name }));
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send: (codes) => {
      const frame = sentFrames++;
      socket.send(mediaHead(frame + 2, frame) + codes.toString('base64') + tail);
    },
    hangUp: () => {
      socket.send(stopWords(streamSid, `CA${name}`, sentFrames + 2));
      socket.close(1000);
    },
  };
}

async function nativeLine(socket: WebSocket, name: string, ears: LineEars): Promise<CallerLine> {
  const started = Promise.withResolvers<void>();
  const late = setTimeout(() => started.reject(new Error('never started')), STARTED_WITHIN_MS);
  socket.on('message', (message: RawData, isBinary) => {
    if (isBinary) return ears.heard(message as Buffer);
    const { type, name: mark } = JSON.parse(textOf(message)) as { type: string; name?: string };
    if (type === 'mark') socket.send(JSON.stringify({ type: 'mark_played', name: mark }));
    else if (type === 'clear') ears.cleared();
    else if (type === 'started') started.resolve();
  });
  socket.send(JSON.stringify({ type: 'start', parameters: { caller: name } }));
  await started.promise.finally(() => clearTimeout(late));
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    send: (codes) => socket.send(codes),
    hangUp: () => socket.close(1000),
  };
}

function textOf(message: RawData): string {
  return (message as Buffer).toString();
}
