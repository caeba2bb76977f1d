import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';

/** Long enough that whoever interrupted it has fallen silent, and is heard to have. */
const PAUSE_MS = 1_500;
/** Audio comes ahead of time, so many frames a message. */
const FRAMES_PER_MESSAGE = 5;

interface Word {
  readonly type: string;
  readonly item_id?: string | null;
  readonly played_ms?: number;
  readonly name?: string;
  readonly parameters?: { readonly [name: string]: string };
}

/** How an agent speaks: its item for this caller, from its place in the sample on. */
export interface AgentManner {
  readonly itemFrames: number;
  readonly offset: number;
}

/**
 * Agents that speak `omnivoice.v1` as docs/agents.md tells it: they say one item after the other, each all at
 * once, and note what they are told was heard of it.
 */
export class AgentServer {
  /** Milliseconds heard of an item that was interrupted, by caller and item. */
  readonly told = new Map<string, number>();
  readonly #speech: Speech;
  readonly #mannerOf: (caller: string) => AgentManner;
  readonly #server: Server;

  private constructor(speech: Speech, mannerOf: (caller: string) => AgentManner, server: Server) {
    this.#speech = speech;
    this.#mannerOf = mannerOf;
    this.#server = server;
    const webSockets = new WebSocketServer({ server, handleProtocols: () => 'omnivoice.v1' });
    webSockets.on('connection', (socket) => this.#take(socket));
  }

  static async open(speech: Speech, mannerOf: (caller: string) => AgentManner): Promise<AgentServer> {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return new AgentServer(speech, mannerOf, server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #take(socket: WebSocket): void {
    let caller = '';
    let item = 0;
    let isSpeaking = false;
    const next = (): void => {
      if (socket.readyState !== socket.OPEN || isSpeaking) return;
      isSpeaking = true;
      this.#say(socket, `item-${++item}`, this.#mannerOf(caller));
    };
    const over = (): void => {
      if (!isSpeaking) return;
      isSpeaking = false;
      setTimeout(next, PAUSE_MS);
    };
    socket.on('error', () => socket.terminate());
    socket.on('message', (message: RawData, isBinary) => {
      if (isBinary) return;
      const word = JSON.parse((message as Buffer).toString()) as Word;
      switch (word.type) {
        case 'start':
          caller = word.parameters?.['caller'] ?? '';
          socket.send('{"type":"started"}');
          setTimeout(next, PAUSE_MS);
          return;
        case 'interrupted':
          this.told.set(`${caller} ${word.item_id}`, word.played_ms ?? Number.NaN);
          return over();
        case 'mark_played':
          if (word.name === `item-${item}`) over();
          return;
        default:
      }
    });
  }

  #say(socket: WebSocket, item_id: string, { itemFrames, offset }: AgentManner): void {
    const { mulaw } = this.#speech;
    const frames = mulaw.length / FRAME_SAMPLES;
    socket.send(JSON.stringify({ type: 'agent_speaking', item_id }));
    for (let sent = 0; sent < itemFrames; sent += FRAMES_PER_MESSAGE) {
      const count = Math.min(FRAMES_PER_MESSAGE, itemFrames - sent);
      const message = Buffer.alloc(count * FRAME_SAMPLES);
      for (let i = 0; i < count; i++) {
        const at = ((offset + sent + i) % frames) * FRAME_SAMPLES;
        message.set(mulaw.subarray(at, at + FRAME_SAMPLES), i * FRAME_SAMPLES);
      }
      socket.send(message, { binary: true });
    }
    socket.send(JSON.stringify({ type: 'agent_spoke', item_id }));
    socket.send(JSON.stringify({ type: 'mark', name: item_id }));
  }
}
