// The four kinds of test: pure ones in Node, ones inside workerd, ones that start a whole router, and ones in a browser.
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: ["shared", "workers", "scripts", "dashboard/src", "tests/unit"].map(
            (folder) => `${folder}/**/*.test.ts`,
          ),
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                KEY_SECRETS: "1:dGVzdC1zZWNyZXQtb2YtdGhlLWtleXMtMzItYnl0ZXMh",
                SETUP_TOKEN: "setup-token-of-the-tests",
                LOG_LEVEL: "error",
                PRIVATE_TARGETS: "allowed",
                RATE_LIMITS: "off",
                // There is no Postgres here. tests/system/history.test.ts has one.
                ARCHIVE_EVERY_MINUTES: "0",
                // See tests/workerd/webhook-chaos.test.ts.
                CHAOS_DELIVERIES: process.env.CHAOS_DELIVERIES ?? "300",
                // See tests/workerd/runs-lists.test.ts.
                SCALE_RUNS: process.env.SCALE_RUNS ?? "30000",
                CHAOS_SEED: process.env.CHAOS_SEED ?? "20261123",
              },
            },
          }),
        ],
        test: {
          name: "workerd",
          // An eviction waits for the object to fall quiet, which takes 5 s after a run was offered.
          testTimeout: 20_000,
          include: ["tests/workerd/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "system",
          environment: "node",
          globalSetup: ["tests/system/build.ts"],
          include: ["tests/system/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "browser",
          environment: "node",
          globalSetup: ["tests/system/build.ts"],
          include: ["tests/browser/**/*.test.ts"],
          // As long as the browser itself is waited for.
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
