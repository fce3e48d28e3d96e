// Who may import whom: `shared` imports nothing of ours; a Worker imports `shared` and its own folder, never another
// Worker's inside. They meet in workers/index.ts and through bindings.
import { glob, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

interface Import {
  readonly from: string;
  readonly to: string;
}

async function importsIn(folder: string): Promise<Import[]> {
  const found: Import[] = [];
  for await (const from of glob(`${folder}/**/*.ts`)) {
    if (from.endsWith(".test.ts") || from.endsWith(".fixture.ts")) continue;
    const text = await readFile(from, "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      found.push({ from, to: normalize(join(dirname(from), path)) });
    }
  }
  return found;
}

/** Folder of a Worker that a file stands in; empty for what stands beside them. */
const workerOf = (file: string): string => /^workers\/([^/]+)\//.exec(file)?.[1] ?? "";

/** Folders that serve every Worker. */
const COMMON = new Set(["platform", "reading"]);
/** Where the Workers meet. */
const MEETING = "workers/index.ts";

describe("imports", () => {
  it("of shared stay in shared", async () => {
    const imports = await importsIn("shared");
    expect(imports.length).toBeGreaterThan(20);
    expect(imports.filter(({ to }) => !to.startsWith("shared/"))).toEqual([]);
  });

  it("of a Worker stay in its folder, in shared, and in what stands beside the Workers", async () => {
    const imports = (await importsIn("workers")).filter(({ from }) => from !== MEETING);
    expect(imports.length).toBeGreaterThan(200);
    const strays = imports.filter(({ from, to }) => {
      if (to.startsWith("shared/")) return false;
      const other = workerOf(to);
      return (
        !to.startsWith("workers/") || (other !== "" && other !== workerOf(from) && !COMMON.has(other)) || to === MEETING
      );
    });
    expect(strays).toEqual([]);
  });
});

describe("the tables of runs and steps", () => {
  it("have one writing file each", async () => {
    const owners = new Set(["workers/environment/runs/run-rows.ts", "workers/environment/runs/step-rows.ts"]);
    const writers = new Set<string>();
    for await (const file of glob("workers/environment/**/*.ts")) {
      if (file.endsWith(".test.ts") || file.endsWith(".fixture.ts") || file.endsWith("/migrations.ts")) continue;
      const writes = /\b(?:INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+(?:runs|steps)\b/i;
      if (writes.test(await readFile(file, "utf8"))) writers.add(file);
    }
    expect(writers).toEqual(owners);
  });
});
