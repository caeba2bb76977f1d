import { freeRun, House } from '../../test/live/house.ts';
import { parentOf } from '../machine.ts';
import { pause } from '../scene/phases.ts';

/** Above this the kernel takes ports for its own connections: one that was left would be gone. */
const PORT_MAX = 32_000;

/** Once its last call has hung up. */
const LEFT_WITHIN_MS = 20_000;

/** What makes one host of several. */
export interface HostWish {
  readonly nodes: number;
  /** The first of as many as `portsOf` says. */
  readonly port: number;
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

  static async open({ nodes, port, settings }: HostWish): Promise<BenchHost> {
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

  /** As an operator takes it out; answers how to wait until it has left, and to bring it back. */
  drain(): () => Promise<void> {
    const leaving = this.#supervisorPid;
    process.kill(leaving, 'SIGTERM');
    return async () => {
      const untilMs = performance.now() + LEFT_WITHIN_MS;
      while (isThere(leaving)) {
        if (performance.now() > untilMs) throw new Error('a drained host did not leave');
        await pause(25);
      }
      await this.comeBack();
    };
  }

  /** The machine is on again, with its disk. */
  async comeBack(): Promise<void> {
    this.#house = await House.open(this.#settings);
    this.#supervisorPid = supervisorOf(this.#house);
  }

  /** Waits until there is another node than the one of that pid, and takes calls. */
  async awaitNode(node: number, formerPid: number, withinMs: number): Promise<void> {
    const url = this.at('http://127.0.0.1/readyz', node);
    await this.#awaitChild({ child: `node-${node}`, formerPid, url }, withinMs);
  }

  /** Likewise of control. */
  async awaitControl(formerPid: number, withinMs: number): Promise<void> {
    const url = `${this.#house.ready.api_url}/readyz`;
    await this.#awaitChild({ child: 'control', formerPid, url }, withinMs);
  }

  async #awaitChild(
    { child, formerPid, url }: { readonly child: string; readonly formerPid: number; readonly url: string },
    withinMs: number,
  ): Promise<void> {
    const untilMs = performance.now() + withinMs;
    while (this.#house.pidOf(child) === formerPid || !(await isWell(url))) {
      if (performance.now() > untilMs) throw new Error(`${child} did not come back`);
      await pause(25);
    }
  }

  async close(): Promise<void> {
    await this.#house.close();
  }
}

/** For media: one that all nodes share, and one each; and one each for the others' links. */
export function portsOf(nodes: number): number {
  return 2 * nodes + 1;
}

/** The first of `count` ports in a row that are free now. */
export async function freePorts(count: number): Promise<number> {
  let port = await freeRun(count);
  while (port > PORT_MAX) port = await freeRun(count);
  return port;
}

function isThere(pid: number): boolean {
  return parentOf(pid) !== 0;
}

function isWell(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(500) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function supervisorOf(house: House): number {
  const pid = parentOf(house.pidOf('control'));
  if (pid <= 1) throw new Error('control has no supervisor');
  return pid;
}

/** As kill -9; who is gone already is left in peace. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // A child that was just being replaced.
  }
}
