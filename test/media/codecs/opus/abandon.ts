import { setImmediate } from 'node:timers/promises';
import { loadOpus, openOpus } from '../../../../src/media/codecs/opus/opus.ts';

/* Opens codecs and forgets them, in a process that may collect at will; prints what the sandbox still holds. */
const facts = await loadOpus();

function abandon(): void {
  const codec = openOpus(16_000, { encoder: 'wasm' });
  codec.concealInto!(new Int16Array(320));
  codec.encodeInto(new Int16Array(320), new Uint8Array(codec.packetBytesMax));
}

for (let i = 0; i < 200; i++) abandon();
for (let turn = 0; turn < 50 && facts.stats.collected < 400; turn++) {
  globalThis.gc?.();
  await setImmediate();
}
process.stdout.write(JSON.stringify(facts.stats));
