import { expect, it } from 'vitest';
import type { AgentLine } from '../../../src/call/agent-dialler.ts';
import { SpokenAhead, waitingFramesOf } from '../../../src/call/agents/spoken-ahead.ts';
import type { Channel } from '../../../src/call/hearing/channel.ts';
import type { Member } from '../../../src/call/parties/roster.ts';
import { FakeClock } from '../../fakes/clock.ts';

function openScene() {
  const clock = new FakeClock();
  const listeners = [{ waitingFrames: 0 }, { waitingFrames: 0 }];
  const member = { channels: listeners as unknown as readonly Channel[] } as Member;
  const line = {
    isReading: true,
    pauseReading: () => void (line.isReading = false),
    resumeReading: () => void (line.isReading = true),
  };
  const ahead = new SpokenAhead(line as unknown as AgentLine, member, clock);
  return { clock, listeners, member, line, ahead };
}

it('counts what waits at whoever is the furthest behind', () => {
  const { listeners, member } = openScene();
  listeners[1]!.waitingFrames = 7;
  expect(waitingFramesOf(member)).toBe(7);
});

it('reads no more of an agent from fifty seconds on, and again below forty', () => {
  const { clock, listeners, line, ahead } = openScene();
  listeners[0]!.waitingFrames = 2_499;
  ahead.look();
  expect(line.isReading).toBe(true);
  listeners[0]!.waitingFrames = 2_500;
  ahead.look();
  ahead.look();
  expect(line.isReading).toBe(false);
  expect(ahead.stats.pauses).toBe(1);
  listeners[0]!.waitingFrames = 2_000;
  clock.advance(1_000);
  expect(line.isReading).toBe(false);
  listeners[0]!.waitingFrames = 1_999;
  clock.advance(500);
  expect(line.isReading).toBe(true);
});

it('looks no more once the line is let go', () => {
  const { clock, listeners, line, ahead } = openScene();
  listeners[0]!.waitingFrames = 2_500;
  ahead.look();
  ahead.close();
  listeners[0]!.waitingFrames = 0;
  clock.advance(5_000);
  expect(line.isReading).toBe(false);
});
