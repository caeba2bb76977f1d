import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { upTo } from './link-fixtures.ts';
import { until } from '../fakes/until.ts';
import { LinkHouse } from './link-house.ts';

const PUBLISHING_NODE = join(import.meta.dirname, 'publishing-node.ts');

/** A node in a process of its own, and the number of the last event it is known to have accepted. */
class ChildNode {
  acceptedRecord = 0;
  isGone = false;
  readonly #child: ChildProcess;
  #rest = '';

  constructor(house: LinkHouse, incarnation: string) {
    const args = [PUBLISHING_NODE, house.runDir, house.spoolsDir, incarnation];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#hear(chunk.toString()));
    this.#child.on('close', () => (this.isGone = true));
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.acceptedRecord = Number(lines.at(-1) ?? this.acceptedRecord);
  }
}

describe('a media node killed with -9', () => {
  it('has every event it accepted in the journal, once and in order, before its death is told', async () => {
    const house = new LinkHouse();
    house.openControl();
    const node = new ChildNode(house, 'node-a');
    await until(() => house.told.length > 500, 'the link');
    node.kill();
    await until(() => node.isGone, 'the end');
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    const numbers = house.journal.numbersOf('node-a');
    expect(numbers.length).toBeGreaterThanOrEqual(node.acceptedRecord);
    expect(numbers).toEqual(upTo(numbers.length));
    expect(house.dead).toEqual(['node-a']);
    await until(() => !existsSync(house.spoolDirOf('node-a')), 'a clean place');
  });

  it('loses nothing when control was away as well', async () => {
    const house = new LinkHouse();
    const node = new ChildNode(house, 'node-a');
    await until(() => node.acceptedRecord > 2000, 'events');
    node.kill();
    await until(() => node.isGone, 'the end');
    house.openControl();
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    const numbers = house.journal.numbersOf('node-a');
    expect(numbers.length).toBeGreaterThanOrEqual(node.acceptedRecord);
    expect(numbers).toEqual(upTo(numbers.length));
  });

  it('is not taken for dead while it is merely stopped', async () => {
    const house = new LinkHouse();
    const first = house.openControl();
    const node = new ChildNode(house, 'node-a');
    await until(() => house.told.length > 100, 'the link');
    node.kill('SIGSTOP');
    await first.close();
    // A stopped node's kernel still connects; the wait for its hello is cut short to see what follows.
    let waitsForHello = 0;
    const after: typeof systemClock.after = (delayMs, task) => {
      const isForHello = delayMs === 2000;
      if (isForHello) waitsForHello++;
      return systemClock.after(isForHello ? 5 : delayMs, task);
    };
    const second = house.openControl({ clock: { nowMs: () => systemClock.nowMs(), after } });
    await until(() => waitsForHello === 3, 'three vain dials');
    await second.close();
    expect(house.dead).toEqual([]);
    house.openControl();
    node.kill('SIGKILL');
    await until(() => house.journal.forgotten.length === 1, 'the burial');
    expect(house.journal.numbersOf('node-a')).toEqual(upTo(house.told.length));
  });
});
