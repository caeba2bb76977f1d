import { expect, it } from 'vitest';
import { ControlFigures } from '../../src/control/control-figures.ts';
import { tellerOf } from '../../src/control/audience.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import { FakeClock } from '../fakes/clock.ts';

/** Events of one commit, told apart by their place in the journal. */
function eventAt(position: number): readonly CommittedEvent[] {
  return [{ position } as CommittedEvent];
}

it('commits are told in the journal’s order, whether they are measured or not', async () => {
  const figures = new ControlFigures('local', new FakeClock());
  const told: number[] = [];
  const fleet = { committed: (events: readonly CommittedEvent[]) => told.push(events[0]!.position) };
  const deaf = { committed: () => {} };
  const tell = tellerOf({ figures: deaf, fleet, recordings: deaf, agents: deaf });
  const [first, second] = [
    Promise.withResolvers<readonly CommittedEvent[]>(),
    Promise.withResolvers<readonly CommittedEvent[]>(),
  ];
  const telling = [tell(figures.timed(first.promise)), tell(second.promise)];
  first.resolve(eventAt(1));
  second.resolve(eventAt(2));
  await Promise.all(telling);
  expect(told).toEqual([1, 2]);
  await figures.close();
});

it('a commit that fails is told to who waits for it, and not measured', async () => {
  const figures = new ControlFigures('local', new FakeClock());
  await expect(figures.timed(Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  await figures.close();
});
