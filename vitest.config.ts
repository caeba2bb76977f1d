import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

// Whole houses of real processes begin when the rooms are through: two cores are few.
const REAL_PROCESSES = ['test/live/**/*.test.ts', 'test/image.test.ts'];

// Houses that mostly wait, two at a time. All others run alone: they measure themselves, or have larger counts.
const IN_PAIRS = [
  'test/live/agent-*.test.ts',
  'test/live/{call,cluster}-commands.test.ts',
  'test/live/cluster-{partition,relay}.test.ts',
  'test/live/{dialled-target,docs,figures,handover,post-call,postgres,queue,recording}.test.ts',
  'test/live/provider-*.test.ts',
  'test/image.test.ts',
];

// Each of these asks what holds in a process where nobody has loaded Opus yet.
const OWN_PROCESS = ['test/media/codecs.test.ts', 'test/cli/calling/wishes.test.ts'];

export default defineConfig({
  test: {
    // What hangs, hangs longer; what is slow on a machine that others load is waited for.
    testTimeout: 60_000,
    // Most hooks of length start a house, which says by itself when it is not ready in time.
    hookTimeout: 90_000,
    maxWorkers: 2,
    globalSetup: ['test/fakes/postgres/once-per-run.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: [...REAL_PROCESSES, ...OWN_PROCESS],
          // Two processes for all files: loading the rooms anew for each took a third of the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: OWN_PROCESS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'houses',
          include: IN_PAIRS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'house',
          include: REAL_PROCESSES,
          exclude: IN_PAIRS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
