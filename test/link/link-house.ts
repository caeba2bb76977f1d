import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Command, CommandResult } from '../../src/events/commands.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import type { LinkJournal } from '../../src/link/commit-queue.ts';
import { openControlEnd, type ControlEnd, type ControlEndOptions } from '../../src/link/control-end.ts';
import { openNodeEnd, type NodeEnd } from '../../src/link/node-end.ts';
import { socketPathOf, spoolDirOf } from '../../src/link/places.ts';
import { openSpool, type Spool, type SpoolOptions } from '../../src/link/spool/spool.ts';
import { eventRecord, FACTS, FakeJournal, KeptLog, STATUS, temporaryDir } from './link-fixtures.ts';

/** A node of the test: its end of the link, its spool, and how many events it has published. */
export interface TestNode {
  readonly incarnation: string;
  readonly end: NodeEnd;
  readonly spool: Spool;
  publish(count: number, ballast?: string): void;
  close(): Promise<void>;
}

/** One host: a run directory, a directory of spools, a journal, and a log of both ends. */
export class LinkHouse {
  readonly runDir = temporaryDir();
  readonly spoolsDir = temporaryDir();
  readonly journal = new FakeJournal();
  readonly log = new KeptLog();
  readonly told: CommittedEvent[] = [];
  readonly dead: string[] = [];

  socketPathOf(incarnation: string): string {
    return socketPathOf(this.runDir, incarnation);
  }

  spoolDirOf(incarnation: string): string {
    return spoolDirOf(this.spoolsDir, incarnation);
  }

  openSpool(incarnation: string, options: Partial<SpoolOptions> = {}): Spool {
    return openSpool({ dir: this.spoolDirOf(incarnation), reserveBytes: 0, ...options });
  }

  async openNode(
    incarnation = 'node-a',
    options: Partial<SpoolOptions> & {
      onCommand?: (command: Command) => Promise<CommandResult>;
      socketPath?: string;
      spool?: Spool;
    } = {},
  ): Promise<TestNode> {
    const spool = options.spool ?? this.openSpool(incarnation, options);
    const end = await openNodeEnd({
      socketPath: options.socketPath ?? this.socketPathOf(incarnation),
      spool,
      facts: { ...FACTS, incarnation },
      onCommand: options.onCommand ?? (() => Promise.resolve({ ok: true, value: null })),
      status: () => ({ ...STATUS, spoolBytes: spool.bytes }),
      clock: systemClock,
      log: this.log,
    });
    const close = async (): Promise<void> => {
      await end.close();
      spool.close();
    };
    onTestFinished(close);
    let published = 0;
    return {
      incarnation,
      end,
      spool,
      close,
      publish: (count, ballast) => {
        for (let i = 0; i < count; i++) end.publish(eventRecord(++published, ballast));
      },
    };
  }

  openControl(options: Partial<ControlEndOptions> = {}): ControlEnd {
    const control = openControlEnd({
      runDir: this.runDir,
      spoolsDir: this.spoolsDir,
      journal: this.#telling(),
      onConnected: () => Promise.resolve(),
      onNodeDead: (incarnation) => {
        this.dead.push(incarnation);
        return Promise.resolve();
      },
      clock: systemClock,
      log: this.log,
      graceMs: 100,
      ...options,
    });
    onTestFinished(() => control.close());
    return control;
  }

  /** The journal, with what it committed in `told`. */
  #telling(): LinkJournal {
    const { journal, told } = this;
    return {
      commit: async (batch) => {
        const committed = await journal.commit(batch);
        told.push(...committed);
        return committed;
      },
      cursorOf: (incarnation) => journal.cursorOf(incarnation),
      forgetCursor: (incarnation) => journal.forgetCursor(incarnation),
    };
  }
}
