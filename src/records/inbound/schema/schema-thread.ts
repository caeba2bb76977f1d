import type { Clock } from '../../../base/clock.ts';
import { JobThread } from '../../job-thread.ts';
import type { SchemaJob, SchemaReply } from './schema-worker.ts';

/** A compiled schema of 64 KiB and a body of 1 MiB fit many times over. */
const HEAP_MB = 128;

/** A worker thread for schemas. */
export class SchemaThread extends JobThread<SchemaJob, SchemaReply> {
  constructor(clock: Pick<Clock, 'after'>) {
    super({ clock, module: new URL('./schema-worker.ts', import.meta.url), heapMb: HEAP_MB });
  }
}
