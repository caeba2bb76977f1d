import { describe, expect, it } from 'vitest';
import { array, assert, constantFrom, integer, property } from 'fast-check';
import { createParser } from 'eventsource-parser';
import { SseParser, type SseEvent } from '../../src/client/sse-parser.ts';

function ours(pieces: readonly string[]): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = new SseParser((event) => events.push(event));
  for (const piece of pieces) parser.feed(piece);
  return events;
}

/** The same stream as `eventsource-parser` reads it, in our words. */
function theirs(text: string): SseEvent[] {
  const events: SseEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data, id }) => events.push({ event: event ?? 'message', data, id: id ?? '' }),
  });
  parser.feed(text);
  return events;
}

describe('the parser of event streams', () => {
  it('reads events, multi-line data and comments', () => {
    const text = ': hello\n\nid: e1-1\ndata: {"a":1}\n\nid: e1-2\nevent: gap\ndata: one\ndata: two\n\n';
    expect(ours([text])).toEqual([
      { event: 'message', data: '{"a":1}', id: 'e1-1' },
      { event: 'gap', data: 'one\ntwo', id: 'e1-2' },
    ]);
  });

  it('keeps the last id for events that have none, and takes an id without data', () => {
    const events: SseEvent[] = [];
    const parser = new SseParser((event) => events.push(event));
    parser.feed('retry: 250\nid: e1-9\n\n');
    expect([parser.lastEventId, parser.retryMs, events]).toEqual(['e1-9', 250, []]);
    parser.feed('data: x\n\n');
    expect(events).toEqual([{ event: 'message', data: 'x', id: 'e1-9' }]);
  });

  it('does not dispatch a block that was cut off', () => {
    expect(ours(['data: x\n'])).toEqual([]);
  });

  it('ignores an id with a NUL and a retry that is no number', () => {
    const parser = new SseParser(() => undefined);
    parser.feed('id: a\nretry: soon\n\nid: b\0\n\n');
    expect([parser.lastEventId, parser.retryMs]).toEqual(['a', undefined]);
  });

  it('refuses a line without an end', () => {
    const parser = new SseParser(() => undefined);
    expect(() => parser.feed(`data: ${'x'.repeat(5 * 1_048_576)}`)).toThrow('no end');
  });

  it('agrees with eventsource-parser on any stream, however it is cut into pieces', () => {
    const lines = constantFrom(
      'data: a',
      'data:b',
      'data:  c',
      'data',
      'data: ä€😀',
      'event: gap',
      'event:',
      ':comment',
      'unknown: x',
      'retry: 5',
      '',
      '',
    );
    const ends = constantFrom('\n', '\r\n', '\r');
    assert(
      property(
        array(lines, { maxLength: 30 }),
        ends,
        array(integer({ min: 1, max: 9 })),
        (said, end, cuts) => {
          // An id in each block: they tell only a block's own, the standard (tested above) the last there was.
          const blocks = said.map((line, n) => (line === '' ? `${end}id: ${n}` : line));
          const text = `${['id: first', ...blocks].join(end)}${end}${end}x`;
          const pieces: string[] = [];
          let at = 0;
          for (const cut of cuts) pieces.push(text.slice(at, (at += cut)));
          pieces.push(text.slice(at));
          expect(ours(pieces)).toEqual(theirs(text));
        },
      ),
      { numRuns: process.env['OMNIVOICE_TEST_LONG'] ? 20_000 : 500 },
    );
  });
});
