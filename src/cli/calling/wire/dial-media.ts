import { dialAudioSocket } from './dial-audio-socket.ts';
import { dialWebSocket } from './dial.ts';
import type { Dial } from './media-wire.ts';

/** Connects as the place wants it: AudioSocket is plain TCP, everything else is a WebSocket. */
export const dialMedia: Dial = (target, listener) =>
  target.url.startsWith('tcp:') ? dialAudioSocket(target, listener) : dialWebSocket(target, listener);
