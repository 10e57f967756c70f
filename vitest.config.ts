import { defineConfig } from "vitest/config";

/** A condition that is waited for may take this long on a busy machine, ms; how fast it must be is asserted where it matters. */
const expectation = { poll: { timeout: 30_000 } } as const;
const server = { testTimeout: 120_000, hookTimeout: 240_000, fileParallelism: false, expect: expectation } as const;

/** One project per tier; a tier needs everything that the one above it needs, and more. */
export default defineConfig({
  test: {
    exclude: ["**/node_modules/**", "**/dist/**"],
    projects: [
      {
        test: {
          name: "unit",
          testTimeout: 30_000,
          expect: expectation,
          include: [
            "operator/**/*.test.ts",
            "worker/**/*.test.ts",
            "test/demo/**/*.test.ts",
            "test/bench/**/*.test.ts",
            "test/celery-suite/**/*.test.ts",
          ],
        },
      },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], ...server } },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], ...server } },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...server, testTimeout: 180_000 } },
      { test: { name: "chaos", include: ["test/chaos/**/*.test.ts"], ...server, testTimeout: 180_000 } },
    ],
  },
});
