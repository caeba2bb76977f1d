import { isObject, textOf } from '../../base/json.ts';
import type { CallSummary, Summaries } from '../../call/handover/call-summary.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { NodeToolCallerOptions } from './tool-caller.ts';

/** So long a handover waits for it at most: the caller and the agent talk on meanwhile. */
const ANSWER_MS_MAX = 500;
/** An eighth of the questions that may wait on the link. */
const UNDER_WAY_MAX = 32;

/** Control sums calls up, in a thread of its own: no node's audio waits for that. */
export class NodeSummaries implements Summaries {
  readonly #ask: NodeToolCallerOptions['ask'];
  #underWay = 0;

  constructor({ ask }: NodeToolCallerOptions) {
    this.#ask = ask;
  }

  async summaryOf(segments: readonly TranscriptSegment[]): Promise<CallSummary | null | 'unavailable'> {
    if (this.#underWay >= UNDER_WAY_MAX) return 'unavailable';
    this.#underWay++;
    try {
      const answer = await this.#ask({ name: 'sum_up', segments }, ANSWER_MS_MAX);
      return answer.ok ? readSummary(answer.value) : 'unavailable';
    } catch {
      // The link is closing: so is the node.
      return 'unavailable';
    } finally {
      this.#underWay--;
    }
  }
}

function readSummary(value: unknown): CallSummary | null {
  const summary = isObject(value) && isObject(value['summary']) ? value['summary'] : {};
  const [method, text] = [textOf(summary['method']), textOf(summary['text'])];
  return method === undefined || text === undefined ? null : { method, text };
}
