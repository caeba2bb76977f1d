// Run by allocation.test.ts in a process of its own, whose young generation is too large to be collected
// meanwhile: what is allocated stays visible as growth of the heap.
import { getHeapStatistics } from 'node:v8';
import { nativeDialect } from '../../src/dialect/native/dialect.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { frameOf } from './speech.ts';
import { openInbound, openStartedLine } from './wire.ts';

const WARM_FRAMES = 20_000;
const FRAMES = 50_000;
/** Counters of this many digits keep their width for the whole run. */
const FIRST_INDEX = 200_000;

function bytesPerFrame(work: (index: number) => void): number {
  for (let i = 0; i < WARM_FRAMES; i++) work(FIRST_INDEX + i);
  const before = getHeapStatistics().used_heap_size;
  for (let i = 0; i < FRAMES; i++) work(FIRST_INDEX + WARM_FRAMES + i);
  return (getHeapStatistics().used_heap_size - before) / FRAMES;
}

const report: Record<string, number> = {};
for (const dialect of DIALECTS) {
  // Only our own protocol has RTP headers to carry.
  for (const rtpHeaders of dialect === nativeDialect ? [false, true] : [false]) {
    const { caller, session } = openStartedLine(dialect, { rtpHeaders });
    const inbound = openInbound();
    const frame = frameOf(dialect, 0);
    const name = `${dialect.name}${rtpHeaders ? ' with RTP' : ''}`;
    report[`${name}, to the leg`] = bytesPerFrame((index) => {
      const message = caller.audio(frame, index);
      if (message !== undefined) session.read(message.bytes, message.isBinary, inbound);
    });
    const head = session.writeHead?.();
    if (head !== undefined) caller.read(head.bytes, head.isBinary, inbound);
    report[`${name}, from the leg`] = bytesPerFrame(() => {
      const message = session.writeAudio(frame);
      if (message !== undefined) caller.read(message, session.audioIsBinary, inbound);
    });
  }
}
process.stdout.write(JSON.stringify(report));
