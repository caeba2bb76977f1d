import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seededDice, sleep, systemClock } from '../../src/base/clock.ts';
import type { ControlEnd } from '../../src/link/control-end.ts';
import { temporaryDir, upTo } from './link-fixtures.ts';
import { until } from '../fakes/until.ts';
import { LinkHouse, type TestNode } from './link-house.ts';

const ROUNDS = process.env.OMNIVOICE_TEST_LONG === undefined ? 4 : 400;
const STEPS = 60;
const NODES = ['node-a', 'node-b'];

type Dice = () => number;

/** A wire between control and one node that breaks after a random number of bytes, in either direction. */
class BreakingWire {
  breaks = 0;
  isBreaking = true;
  readonly #server: Server;
  readonly #target: string;
  readonly #dice: Dice;
  readonly #sockets = new Set<Socket>();

  constructor(target: string, dice: Dice) {
    this.#target = target;
    this.#dice = dice;
    this.#server = createServer((socket) => this.#join(socket));
  }

  async listen(path: string): Promise<void> {
    onTestFinished(() => this.close());
    await new Promise<void>((resolve) => void this.#server.listen(path, resolve));
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket): void {
    const far = connect(this.#target);
    let leftBytes = Math.floor(this.#dice() ** 3 * 200_000);
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', end).on('close', end);
      from.on('data', (chunk: Buffer) => {
        const isBroken = this.isBreaking && chunk.length >= leftBytes;
        to.write(isBroken ? chunk.subarray(0, leftBytes) : chunk);
        leftBytes -= chunk.length;
        if (!isBroken) return;
        this.breaks++;
        // The last bytes still arrive: half a message is exactly what the other side has to live with.
        to.end(end);
      });
    }
  }
}

async function someTurns(dice: Dice): Promise<void> {
  for (let turns = Math.floor(dice() * 6); turns >= 0; turns--) {
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

/** Breaks, restarts, failures and slowness of every kind, as the dice say; then peace. */
async function live(house: LinkHouse, nodes: readonly TestNode[], dice: Dice): Promise<number> {
  let control: ControlEnd | undefined;
  let controls = 0;
  const hiccup = async (): Promise<void> => {
    await someTurns(dice);
    if (dice() < 0.1) throw new Error('the journal is busy');
  };
  house.journal.beforeCommit = hiccup;
  house.journal.afterCommit = () => someTurns(dice);
  for (let step = 0; step < STEPS; step++) {
    for (const node of nodes) node.publish(Math.floor(dice() ** 2 * 120), 'x'.repeat(dice() * 800));
    if (control === undefined && dice() < 0.5) {
      control = house.openControl();
      controls++;
    } else if (control !== undefined && dice() < 0.15) {
      // A killed process hears of none of its commits that are on their way; the next one asks for the
      // cursor.
      const closing = control.close();
      control = undefined;
      await closing;
    }
    await someTurns(dice);
  }
  house.journal.beforeCommit = () => Promise.resolve();
  if (control === undefined) house.openControl();
  return controls;
}

describe('the link', () => {
  it.each(upTo(ROUNDS))('brings every event once and in order, whatever breaks (seed %i)', async (seed) => {
    const dice = seededDice(seed);
    const house = new LinkHouse();
    const behind = temporaryDir();
    const nodes: TestNode[] = [];
    const wires: BreakingWire[] = [];
    for (const incarnation of NODES) {
      const socketPath = join(behind, `${incarnation}.sock`);
      nodes.push(await house.openNode(incarnation, { socketPath, segmentBytes: 20_000 }));
      const wire = new BreakingWire(socketPath, dice);
      await wire.listen(house.socketPathOf(incarnation));
      wires.push(wire);
    }
    const controls = await live(house, nodes, dice);
    for (const wire of wires) wire.isBreaking = false;
    for (const node of nodes) {
      const accepted = node.end.stats.publishedRecords;
      await until(() => numbersOf(house, node) >= accepted, `all of ${node.incarnation}, seed ${seed}`);
      expect(house.journal.numbersOf(node.incarnation)).toEqual(upTo(accepted));
      await until(() => node.spool.bytes < 25_000, `the release, seed ${seed}`);
    }
    expect(house.journal.holes).toBe(0);
    expect(controls).toBeGreaterThan(0);
    expect(wires.reduce((sum, { breaks }) => sum + breaks, 0)).toBeGreaterThan(0);
  });
});

describe('a node that starts while control is impatient', () => {
  it.each(upTo(ROUNDS))('either cannot start or loses nothing (seed %i)', async (seed) => {
    const dice = seededDice(seed);
    const house = new LinkHouse();
    house.openControl({ graceMs: dice() * 30 });
    const start = async (incarnation: string): Promise<boolean> => {
      const spool = house.openSpool(incarnation);
      const [delayMs, isBrief] = [dice() * 300, dice() < 0.5];
      await sleep(systemClock, delayMs);
      const node = await house.openNode(incarnation, { spool }).catch(() => undefined);
      if (node === undefined) return false;
      node.publish(3);
      if (isBrief) await node.close();
      await until(() => house.journal.numbersOf(incarnation).length === 3, `${incarnation}, seed ${seed}`);
      return true;
    };
    const started = await Promise.all(upTo(20).map((index) => start(`node-${index}`)));
    expect(started.filter(Boolean)).toHaveLength(house.journal.committed.size);
    expect(house.journal.holes).toBe(0);
  });
});

function numbersOf(house: LinkHouse, node: TestNode): number {
  return house.journal.numbersOf(node.incarnation).length;
}
