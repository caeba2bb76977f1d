import type { AgentLine } from '../agent-dialler.ts';
import type { History } from './history.ts';

/** Whoever cuts the agent short says so to its backend, and to whoever is told of it later. */
export function rememberingLine(line: AgentLine, history: History): AgentLine {
  return {
    leg: line.leg,
    interrupt: (itemId, playedMs) => {
      history.cut(itemId, playedMs);
      line.interrupt(itemId, playedMs);
    },
    answerTool: (result) => line.answerTool(result),
    tell: (text) => line.tell(text),
    pauseReading: () => line.pauseReading(),
    resumeReading: () => line.resumeReading(),
  };
}
