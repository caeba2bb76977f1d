import type { Queues } from '../../call/handover/queue-wait.ts';
import type { QueueAsk } from '../../events/asks.ts';
import type { NodeToolCallerOptions } from './tool-caller.ts';

/** A quarter of the questions that may wait on the link. */
const UNDER_WAY_MAX = 64;
/** It is said again by then. */
const ANSWER_MS_MAX = 2_000;

/** The queues are control's: it is told what waits, and nobody waits for what it says to that. */
export class NodeQueues implements Queues {
  readonly stats = { refused: 0, unheard: 0 };
  readonly #ask: NodeToolCallerOptions['ask'];
  #underWay = 0;

  constructor({ ask }: NodeToolCallerOptions) {
    this.#ask = ask;
  }

  tell(ask: QueueAsk): void {
    if (this.#underWay >= UNDER_WAY_MAX) {
      this.stats.refused++;
      return;
    }
    this.#underWay++;
    void this.#tell(ask).finally(() => this.#underWay--);
  }

  // Control may be away or full: what still waits is said again, and what is over is forgotten by itself.
  async #tell(ask: QueueAsk): Promise<void> {
    try {
      const result = await this.#ask(ask, ANSWER_MS_MAX);
      if (!result.ok) this.stats.unheard++;
    } catch {
      this.stats.unheard++;
    }
  }
}
