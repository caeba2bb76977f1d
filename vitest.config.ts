import { defineConfig } from 'vitest/config';

// Whole houses of real processes run one after the other and alone: two cores are few, and they measure themselves.
const REAL_PROCESSES = ['test/live/**/*.test.ts', 'test/image.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
    globalSetup: ['test/fakes/postgres/once-per-run.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: REAL_PROCESSES,
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
