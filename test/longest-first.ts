import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of many seconds, most of them waiting for real processes. Begun last, one would be waited for by an idle core. */
const LONGEST = [
  'test/control/fleet/fleet.test.ts',
  'test/cli/demonstrating/cluster-demo.test.ts',
  'test/cli/call.test.ts',
  'test/store/journal/reading.test.ts',
  'test/cli/serve.test.ts',
  'test/control/queues/shared-queues.test.ts',
  'test/store/postgres/fleet.test.ts',
  'test/delivery/faults/kill.test.ts',
  'test/store/postgres/outage.test.ts',
  'test/cli/hooks.test.ts',
  'test/dialect/allocation.test.ts',
  'test/media/allocation.test.ts',
  'test/live/provider-pages.test.ts',
  'test/live/agent-chain.test.ts',
  'test/live/cluster-partition.test.ts',
  'test/live/docs.test.ts',
  'test/live/handover.test.ts',
  'test/image.test.ts',
];

/** Files in the order of vitest, which has large ones first, but for those known to last: they begin before all others. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const placeOf = ({ moduleId, project }: TestSpecification): number => {
      const place = LONGEST.indexOf(relative(project.vitest.config.root, moduleId));
      return place === -1 ? LONGEST.length : place;
    };
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
