/* The load, in a process of its own on the core that is not measured. */
import { Callers, type Ramp } from './callers.ts';
import { answerQuestions } from './remote.ts';
import { readSpeech } from './speech.ts';

const callers = new Callers(readSpeech());

answerQuestions({
  ramp: (ramp: Ramp) => callers.ramp(ramp),
  speakInStep: () => callers.speakInStep(),
  turnPage: (name: string) => callers.turnPage(name),
  readPages: () => callers.readPages(),
  sentAtMs: (asked: Parameters<Callers['sentAtMs']>[0]) => callers.sentAtMs(asked),
  hangUp: () => callers.hangUp(),
});
