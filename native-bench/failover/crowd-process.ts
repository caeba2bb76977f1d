/* The callers, in a process of their own: what is killed around them does not hold them up. */
import { answerQuestions } from '../load/remote.ts';
import { Crowd, type Placing } from './crowd.ts';

const crowd = new Crowd();

interface Asked {
  readonly label: string;
  readonly faultAtMs: number;
}

answerQuestions({
  place: (placing: Placing) => crowd.place(placing),
  state: ({ label, faultAtMs }: Asked) => crowd.state(label, faultAtMs),
  legs: ({ label, faultAtMs }: Asked) => crowd.legs(label, faultAtMs),
  hangUp: ({ label }: Asked) => crowd.hangUp(label),
  lateMs: () => crowd.lateMs(),
});
