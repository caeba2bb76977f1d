import { describe, expect, it } from 'vitest';
import { LastingLine } from '../../../../src/cli/calling/wire/lasting-line.ts';
import type {
  MediaTarget,
  Wire,
  WireEnd,
  WireListener,
} from '../../../../src/cli/calling/wire/media-wire.ts';
import { dialectOf } from '../../../../src/dialect/registry.ts';
import { FakeClock } from '../../../fakes/clock.ts';
import { CALLER_OPTIONS, openInbound } from '../../../dialect/wire.ts';

const OFFER = { token: 't1', urls: ['ws://a', 'ws://b', 'ws://c'], windowMs: 30_000 };
const RESUMED = Buffer.from(JSON.stringify({ type: 'resumed', call_id: 'call_1' }));

/** One connection, as its far end has it. */
class Connection implements Wire {
  readonly bufferedBytes = 0;
  readonly target: MediaTarget;
  readonly listener: WireListener;
  readonly said: string[] = [];
  end: 'open' | 'closed' | 'cut' = 'open';

  constructor(target: MediaTarget, listener: WireListener) {
    this.target = target;
    this.listener = listener;
  }

  send({ bytes }: Parameters<Wire['send']>[0]): void {
    this.said.push(Buffer.from(bytes).toString());
  }

  close(): void {
    this.end = 'closed';
  }

  cut(): void {
    this.end = 'cut';
  }

  says(text: string): void {
    this.listener.heard(Buffer.from(text), true);
  }

  resumes(): void {
    this.listener.opened();
    this.listener.heard(RESUMED, false);
  }

  breaks(code = 1006): void {
    this.listener.ended({ type: 'closed', code, reason: '' });
  }
}

function openScene() {
  const clock = new FakeClock({ nowMs: 500, seed: 3 });
  const lines: Connection[] = [];
  const heard: string[] = [];
  const ends: WireEnd[] = [];
  const line = new LastingLine({
    clock,
    dial: (target, listener) => {
      const connection = new Connection(target, listener);
      lines.push(connection);
      return connection;
    },
    target: { url: 'ws://first', subprotocols: ['omnivoice.v1', 'session'] },
    caller: dialectOf('native')!.openCaller(CALLER_OPTIONS),
    inbound: openInbound(),
    listener: {
      opened: () => heard.push('opened'),
      heard: (message, isBinary) => heard.push(isBinary ? Buffer.from(message).toString() : 'words'),
      ended: (end) => ends.push(end),
    },
  });
  const speak = (text: string): void => line.send({ bytes: Buffer.from(text), isBinary: true });
  lines[0]!.listener.opened();
  return { clock, line, lines, heard, ends, speak };
}

describe('a line that is told to go elsewhere', () => {
  it('speaks on until the other one has resumed, and hears the old one out before the new one', () => {
    const { line, lines, heard, speak } = openScene();
    line.move('ws://b', 't2');
    const [old, next] = lines;
    expect(next!.target).toMatchObject({ url: 'ws://b', subprotocols: ['omnivoice.v1', 't2'] });
    speak('1');
    next!.listener.opened();
    expect(JSON.parse(next!.said[0]!)).toMatchObject({ type: 'resume', token: 't2' });
    speak('2');
    next!.listener.heard(RESUMED, false);
    speak('3');
    next!.says('new');
    old!.says('last');
    old!.breaks(1000);
    next!.says('newer');
    expect(old!.said).toEqual(['1', '2']);
    expect(old!.end).toBe('closed');
    expect(next!.said.slice(1)).toEqual(['3']);
    expect(heard).toEqual(['opened', 'last', 'words', 'new', 'newer']);
    expect(line.stats).toMatchObject({ moves: 1, comebacks: 0, unsentMessages: 0 });
  });

  it('waits no longer than a moment for an old line that does not end', () => {
    const { clock, line, lines, heard } = openScene();
    line.move('ws://b', 't2');
    lines[1]!.resumes();
    lines[1]!.says('new');
    clock.advance(249);
    expect(heard).toEqual(['opened']);
    clock.advance(1);
    expect(heard).toEqual(['opened', 'words', 'new']);
  });

  it('stays where it is when nobody is there', () => {
    const { line, lines, speak, ends } = openScene();
    line.move('ws://b', 't2');
    lines[1]!.listener.ended({ type: 'unreachable', detail: 'refused' });
    speak('1');
    expect(lines[0]!.said).toEqual(['1']);
    expect([line.stats.failedMoves, ends]).toEqual([1, []]);
  });

  it('leaves a place that says nothing for five seconds, and may be told again', () => {
    const { clock, line, lines } = openScene();
    line.move('ws://b', 't2');
    line.move('ws://c', 't3');
    expect(lines).toHaveLength(2);
    clock.advance(5_000);
    expect(lines[1]!.end).toBe('cut');
    line.move('ws://c', 't3');
    expect(lines[2]!.target.url).toBe('ws://c');
  });
});

describe('a line that broke', () => {
  it('is back within a tenth of a second, at the first place of two, with its token', () => {
    const { clock, line, lines, ends, speak } = openScene();
    line.offered(OFFER);
    lines[0]!.breaks();
    clock.advance(100);
    expect(lines).toHaveLength(2);
    expect(lines[1]!.target).toMatchObject({ url: 'ws://a', subprotocols: ['omnivoice.v1', 't1'] });
    speak('lost');
    lines[1]!.resumes();
    speak('heard');
    expect(lines[1]!.said.slice(1)).toEqual(['heard']);
    expect(line.stats).toMatchObject({ comebacks: 1, attempts: 1, unsentMessages: 1 });
    expect(ends).toEqual([]);
  });

  it('tries both places in turn, with pauses that double up to five seconds, for a minute', () => {
    const { clock, line, lines, ends } = openScene();
    line.offered(OFFER);
    const triedAtMs: number[] = [];
    lines[0]!.breaks();
    for (let tried = 1, waitedMs = 0; waitedMs < 70_000; waitedMs += 50) {
      clock.advance(50);
      if (lines.length === tried + 1) {
        triedAtMs.push(waitedMs);
        lines[tried]!.listener.ended({ type: 'unreachable', detail: 'refused' });
        tried++;
      }
    }
    const pausesMs = triedAtMs.slice(1).map((atMs, index) => atMs - triedAtMs[index]!);
    expect(pausesMs.slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    expect(triedAtMs.at(-1)).toBeLessThanOrEqual(60_000);
    expect(new Set(lines.slice(1).map(({ target }) => target.url))).toEqual(new Set(['ws://a', 'ws://b']));
    expect(ends).toEqual([{ type: 'closed', code: 1006, reason: '' }]);
  });

  it('gives up where the call is over, by whichever way that is said', () => {
    for (const end of [
      { type: 'refused', status: 404, detail: 'gone' },
      { type: 'closed', code: 4404, reason: 'call_not_found' },
    ] as const) {
      const { clock, line, lines, ends } = openScene();
      line.offered(OFFER);
      lines[0]!.breaks(1012);
      clock.advance(100);
      lines[1]!.listener.ended(end);
      clock.advance(60_000);
      expect([lines.length, ends.length]).toEqual([2, 1]);
    }
  });

  it('ends where it cannot come back: without an offer, after its proper end, or replaced', () => {
    for (const [offer, code] of [
      [undefined, 1006],
      [{ ...OFFER, windowMs: 0 }, 1006],
      [OFFER, 1000],
      [OFFER, 4409],
    ] as const) {
      const { clock, line, lines, ends } = openScene();
      if (offer !== undefined) line.offered(offer);
      lines[0]!.breaks(code);
      clock.advance(1_000);
      expect([lines.length, ends.length]).toEqual([1, 1]);
    }
  });

  it('comes back by the move that was under way, and by its own way where that fails', () => {
    const { clock, line, lines } = openScene();
    line.offered(OFFER);
    line.move('ws://b', 't2');
    lines[0]!.breaks(4410);
    lines[1]!.resumes();
    expect(line.stats).toMatchObject({ comebacks: 1, attempts: 0 });
    line.move('ws://c', 't3');
    lines[1]!.breaks(1006);
    lines[2]!.listener.ended({ type: 'unreachable', detail: 'refused' });
    clock.advance(100);
    expect(lines[3]!.target.url).toBe('ws://a');
  });

  it('is left at once by a caller who hangs up meanwhile', () => {
    const { clock, line, lines, ends } = openScene();
    line.offered(OFFER);
    lines[0]!.breaks();
    line.close();
    clock.advance(60_000);
    expect([lines.length, ends.length]).toEqual([1, 1]);
  });
});
