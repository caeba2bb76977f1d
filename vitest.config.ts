import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

// Whole houses of real processes run one after the other and alone: two cores are few, and they measure themselves.
const REAL_PROCESSES = ['test/live/**/*.test.ts', 'test/image.test.ts'];

// Each of these asks what holds in a process where nobody has loaded Opus yet.
const OWN_PROCESS = ['test/media/codecs.test.ts', 'test/cli/calling/wishes.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
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
          name: 'house',
          include: REAL_PROCESSES,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
