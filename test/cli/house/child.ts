// A child that is nothing but supervised: it tells of its life in `<data dir>/lives`, one line each time.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { openSupervised } from '../../../src/base/supervised.ts';

const [plane, , index] = process.argv.slice(2);
const name = plane === 'node' ? `node-${index}` : 'control';
const dataDir = process.env['OMNIVOICE_DATA_DIR'] ?? '';

function tell(what: string): void {
  appendFileSync(join(dataDir, 'lives'), `${name} ${process.pid} ${what}\n`);
}

async function leave(what: string): Promise<void> {
  tell(what);
  await supervised.close();
}

if (process.env['FAKE_FAILS'] === name) process.exit(2);
const supervised = openSupervised({
  clock: systemClock,
  drainDeadlineMs: 1000,
  onDrain: () => void leave('drained'),
  onStop: () => void leave('stopped'),
  onReload: () => tell('reloaded'),
  onOrphaned: () => void leave('orphaned'),
});
tell('started');
supervised.ready(name === 'control' ? { api_key: 'omf_live_made_just_now' } : {});
