/* Callers who interrupt and their agents, in a process of its own on the core that is not measured. */
import { answerQuestions } from '../load/remote.ts';
import { readSpeech } from '../load/speech.ts';
import { Crowd, type CrowdPlan } from './crowd.ts';

const crowd = await Crowd.open(readSpeech());

answerQuestions({
  agentUrl: () => crowd.agentUrl,
  ramp: (plans: readonly CrowdPlan[]) => crowd.ramp(plans),
  measure: () => crowd.measure(),
  read: () => crowd.read(),
  hangUp: () => crowd.hangUp(),
});
