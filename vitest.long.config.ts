import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

// The full counts that acceptance names, where `npm test` runs a hundredth.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    testTimeout: 600_000,
    hookTimeout: 60_000,
    env: { OMNIVOICE_TEST_LONG: '1' },
  },
});
