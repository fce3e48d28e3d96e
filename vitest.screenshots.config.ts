// For `npm run screenshots`: no test, but it needs what the browser tests have.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: ["tests/system/build.ts"], include: ["tests/browser/screenshots.ts"] },
});
