// What is uploaded by a deployment: a large script starts slowly, and the free plan takes 3 MB.
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { buildScript } from "../../scripts/local/build.ts";

const MAX_COMPRESSED_BYTES = 1_000_000;

it("the script has less than 1 MB compressed", async () => {
  const { modules } = await buildScript();
  const script = Buffer.concat(modules.map(({ contents }) => Buffer.from(contents ?? "")));
  // Less than this would not be the script.
  expect(script.length).toBeGreaterThan(500_000);
  expect(gzipSync(script).length).toBeLessThan(MAX_COMPRESSED_BYTES);
});
