import { expect, it } from 'vitest';
import { OwedMarks } from '../../src/leg/outbound/owed-marks.ts';
import { LegGroups } from '../../src/node/leg-groups.ts';

it('a leg that has ended is one less, and leaves what was held back of its marks', () => {
  const groups = new LegGroups(['twilio']);
  const group = groups.of('twilio', 'caller');
  group.count = 2;
  const owedMarks = new OwedMarks(1);
  owedMarks.owe({ name: 'a', playedFrames: 0 });
  for (let i = 0; i < 3; i++) owedMarks.hasRoom();
  owedMarks.settle('never given');
  groups.left(group, { owedMarks });
  expect([groups.legs, groups.marks]).toEqual([1, { emulated: 3, stray: 1 }]);
});
