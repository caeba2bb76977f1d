import { defineConfig } from 'vitest/config';

// The full counts that acceptance names: OMNIVOICE_TEST_LONG multiplies every seeded count by a hundred.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    env: { OMNIVOICE_TEST_LONG: '1' },
  },
});
