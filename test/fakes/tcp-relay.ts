import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Place {
  readonly host: string;
  readonly port: number;
}

/** A line between two programs that can be cut as a network is: nothing passes, and nobody is told. */
export class TcpRelay {
  readonly #target: Place;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: Place) {
    this.#target = target;
    this.#server = createServer((socket) => this.#join(socket));
  }

  /** Listens at `at`, port 0 taking any, and carries to `target`. */
  static async open(at: Place, target: Place): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    relay.#server.listen(at.port, at.host);
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  heal(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    const far = connect(this.#target);
    this.#carry(near, far);
    this.#carry(far, near);
  }

  #carry(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => to.write(chunk));
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      // The news of an end is cut off as everything else is.
      if (!this.#isCut) to.destroy();
    });
    if (this.#isCut) from.pause();
  }
}
