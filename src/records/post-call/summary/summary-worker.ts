import { parentPort } from 'node:worker_threads';
import lexrank from 'lexrank.js';
import { invariant } from '../../../base/errors.ts';

/** The sentences of a call, one a line. */
export interface SummaryJob {
  readonly lines: readonly string[];
}

/** How central each line is to all of them, in their order. */
export interface SummaryReply {
  readonly weights: readonly number[];
}

const port = parentPort;
invariant(port !== null, 'sentences are ranked in a worker thread');

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
port.on('message', (job: SummaryJob) => port.postMessage(ranked(job)));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
port.postMessage('ready');

function ranked({ lines }: SummaryJob): SummaryReply {
  const paragraphs = lexrank(lines.join('\n'));
  return { weights: lines.map((_, i) => Math.max(0, ...(paragraphs[i] ?? []).map(({ weight }) => weight))) };
}
