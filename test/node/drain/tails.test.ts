import { describe, expect, it } from 'vitest';
import { Tails } from '../../../src/node/drain/tails.ts';
import type { RelayWay } from '../../../src/gateway/relay/relay-frames.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** Two nodes and the link between them, whose frames arrive when the test says so. */
function openScene() {
  const clock = new FakeClock();
  const [here, there] = [new Tails(clock), new Tails(clock)];
  const onTheWay: (() => void)[] = [];
  const back: RelayWay = { bufferedBytes: 0, carry: () => true };
  const way: RelayWay = {
    bufferedBytes: 0,
    carry: (type, handle, payload) => {
      const copy = Buffer.from(payload);
      onTheWay.push(() => there.carried(type, handle, copy, back));
      return true;
    },
  };
  const arrive = (): void => {
    for (const frame of onTheWay.splice(0)) frame();
  };
  const heard: string[] = [];
  const join = (): void =>
    there.of('leg_1')?.hear(
      (message, isBinary) => heard.push(`${message.toString()}${isBinary ? '' : ' in words'}`),
      () => heard.push('over'),
    );
  const say = (text: string, isBinary = true): boolean => here.carry('leg_1', Buffer.from(text), isBinary);
  return { clock, here, there, way, back, arrive, heard, join, say };
}

describe('the last words of a leg whose call was given away', () => {
  it('are heard at its new node in order, before it is said that they are over', () => {
    const { here, there, way, back, arrive, heard, join, say } = openScene();
    const handles = here.give(['leg_1'], way);
    there.expect(handles, back);
    say('1');
    say('{}', false);
    arrive();
    join();
    say('2');
    here.end('leg_1');
    arrive();
    expect(heard).toEqual(['1', '{} in words', '2', 'over']);
    expect([here.leaving, here.counts.carried, there.counts.heard]).toEqual([0, 3, 3]);
  });

  it('are kept where they overtake the word that they will come', () => {
    const { here, there, way, back, arrive, heard, join, say } = openScene();
    const handles = here.give(['leg_1'], way);
    say('1');
    here.end('leg_1');
    arrive();
    there.expect(handles, back);
    join();
    expect(heard).toEqual(['1', 'over']);
  });

  it('are heard at the same node in order, where the leg comes back to it', () => {
    const { here } = openScene();
    const heard: string[] = [];
    here.turn('leg_1');
    here.carry('leg_1', Buffer.from('1'), true);
    here.of('leg_1')?.hear(
      (message) => heard.push(message.toString()),
      () => heard.push('over'),
    );
    here.carry('leg_1', Buffer.from('2'), true);
    here.end('leg_1');
    expect(heard).toEqual(['1', '2', 'over']);
    expect([here.leaving, here.counts]).toMatchObject([0, { carried: 2, heard: 2, dropped: 0 }]);
  });

  it('are waited for half a second only; what comes later is counted', () => {
    const { clock, here, there, way, back, arrive, heard, join, say } = openScene();
    there.expect(here.give(['leg_1'], way), back);
    join();
    clock.advance(499);
    expect(heard).toEqual([]);
    clock.advance(1);
    say('late');
    arrive();
    expect(heard).toEqual(['over']);
    expect(there.counts).toMatchObject({ cutShort: 1, dropped: 1 });
  });

  it('are over when the link is', () => {
    const { here, there, way, back, heard, join, say } = openScene();
    there.expect(here.give(['leg_1'], way), back);
    join();
    there.ended(back);
    here.ended(way);
    expect(heard).toEqual(['over']);
    expect([say('1'), here.leaving]).toEqual([false, 0]);
  });

  it('are nobody’s of a leg that was not given away', () => {
    const { there, say } = openScene();
    expect(say('1')).toBe(false);
    expect(there.of('leg_1')).toBeUndefined();
  });

  it('are not waited for where their socket never says its end', () => {
    const { clock, here, there, way, back } = openScene();
    there.expect(here.give(['leg_1'], way), back);
    clock.advance(4_000);
    expect(here.leaving).toBe(0);
    expect(there.of('leg_1')).toBeUndefined();
    expect(clock.pendingTasks).toBe(0);
  });

  it('have a limit for each peer', () => {
    const { there, back } = openScene();
    for (let handle = 1; handle <= 1_025; handle++) there.carried(49, handle, Buffer.from('x'), back);
    expect(there.counts.refused).toBe(1);
  });
});
