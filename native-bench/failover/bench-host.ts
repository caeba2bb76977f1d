import { freeRun, House } from '../../test/live/house.ts';
import { parentOf } from '../machine.ts';

/** Above this the kernel takes ports for its own connections: one that was left would be gone. */
const PORT_MAX = 32_000;

/** What makes one host of several. */
export interface HostWish {
  readonly nodes: number;
  readonly settings: { readonly [name: string]: string };
}

/** One host: a whole house on ports of its own, that dies as a machine does and is back on the same ones. */
export class BenchHost {
  readonly nodes: number;
  readonly #settings: { readonly [name: string]: string };
  readonly #mediaPort: number;
  #house: House;
  /** Its first process: whoever kills all begins with it, else it starts the others again. */
  #supervisorPid: number;

  private constructor(house: House, settings: { readonly [name: string]: string }, nodes: number) {
    this.#house = house;
    this.#supervisorPid = supervisorOf(house);
    this.#settings = { ...settings, DATA_DIR: house.dataDir };
    this.#mediaPort = Number(settings['MEDIA_PORT']);
    this.nodes = nodes;
  }

  static async open({ nodes, settings }: HostWish): Promise<BenchHost> {
    let port = await freeRun(2 * nodes + 1);
    while (port > PORT_MAX) port = await freeRun(2 * nodes + 1);
    const all = {
      ...settings,
      MEDIA_PORT: String(port),
      MEDIA_NODES: String(nodes),
      PEER_URL: `tls://127.0.0.1:${port + nodes + 1}`,
    };
    return new BenchHost(await House.open(all), all, nodes);
  }

  get house(): House {
    return this.#house;
  }

  /** A URL that was handed out, at this node of this host. */
  at(url: string, node: number): string {
    const own = new URL(url);
    own.port = String(this.#mediaPort + 1 + node);
    return own.href;
  }

  /** As when the power goes: no process of it is left to say anything. */
  lose(): void {
    kill(this.#supervisorPid);
    kill(this.#house.pidOf('control'));
    for (let node = 0; node < this.nodes; node++) kill(this.#house.pidOf(`node-${node}`));
  }

  /** The machine is on again, with its disk. */
  async comeBack(): Promise<void> {
    this.#house = await House.open(this.#settings);
    this.#supervisorPid = supervisorOf(this.#house);
  }

  /** Waits until it has another process of that name than this one, and that one takes calls. */
  async awaitNode(node: number, formerPid: number, withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    const ready = this.at('http://127.0.0.1/readyz', node);
    const isBack = async (): Promise<boolean> => {
      if (this.#house.pidOf(`node-${node}`) === formerPid) return false;
      return fetch(ready, { signal: AbortSignal.timeout(500) }).then(
        ({ ok }) => ok,
        () => false,
      );
    };
    while (!(await isBack())) {
      if (performance.now() > untilMs) throw new Error(`node ${node} did not come back`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async close(): Promise<void> {
    await this.#house.close();
  }
}

function supervisorOf(house: House): number {
  const pid = parentOf(house.pidOf('control'));
  if (pid <= 1) throw new Error('control has no supervisor');
  return pid;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already: a child that was just being replaced.
  }
}
