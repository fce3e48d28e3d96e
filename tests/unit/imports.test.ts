// The import rules. `shared` imports nothing of ours. A Worker imports `shared`, its own folder and the common folders, and
// never another Worker's inside: Workers meet in workers/index.ts and through bindings. Inside workers/environment imports
// go down the layers.
import { glob, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

interface Import {
  readonly from: string;
  readonly to: string;
}

async function sourcesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const file of glob(`${folder}/**/*.ts`)) {
    if (!file.endsWith(".test.ts") && !file.endsWith(".fixture.ts")) files.push(file);
  }
  return files;
}

async function importsIn(folder: string): Promise<Import[]> {
  const found: Import[] = [];
  for (const from of await sourcesIn(folder)) {
    const text = await readFile(from, "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      found.push({ from, to: normalize(join(dirname(from), path)) });
    }
  }
  return found;
}

/** Folder of the Worker that a file belongs to; empty for a file of no Worker. */
const workerOf = (file: string): string => /^workers\/([^/]+)\//.exec(file)?.[1] ?? "";

/** Folders that serve every Worker. */
const COMMON = new Set(["platform", "reading"]);
/** The file where the Workers meet. */
const MEETING = "workers/index.ts";

describe("the import rules", () => {
  it("keep the imports of shared in shared", async () => {
    const imports = await importsIn("shared");
    expect(imports.length).toBeGreaterThan(20);
    expect(imports.filter(({ to }) => !to.startsWith("shared/"))).toEqual([]);
  });

  it("keep a Worker out of the folders of other Workers", async () => {
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

describe("the layers of an environment", () => {
  const ROOT = "workers/environment";
  /** From bottom to top. Files outside of a folder, such as object.ts, are above all of them. */
  const LAYERS = [
    "storage",
    "state",
    "limits",
    "runs",
    "waits",
    "events",
    "schedules",
    "notices",
    "views",
    "control",
    "history",
    "clock",
    "wires",
  ];
  /** Imports that go upwards nevertheless, as "from -> to". */
  const EXCEPTIONS = new Set(["storage/settings.ts -> state/context.ts"]);

  const heightOf = (file: string): number => {
    const folder = /^([^/]+)\//.exec(file)?.[1];
    return folder === undefined ? LAYERS.length : LAYERS.indexOf(folder);
  };

  it("import downwards only", async () => {
    const imports = (await importsIn(ROOT))
      .filter(({ to }) => to.startsWith(`${ROOT}/`))
      .map(({ from, to }) => ({ from: from.slice(ROOT.length + 1), to: to.slice(ROOT.length + 1) }));
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.filter(({ from }) => heightOf(from) < 0)).toEqual([]);
    const upwards = imports
      .filter(({ from, to }) => heightOf(to) > heightOf(from))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(upwards.filter((each) => !EXCEPTIONS.has(each))).toEqual([]);
  });

  it("leave the frames of the reference client to its wire", async () => {
    const readers = (await importsIn(ROOT)).filter(({ to }) => to === "shared/wire/reference/frames.ts");
    expect(readers.length).toBeGreaterThan(0);
    expect(readers.filter(({ from }) => !from.startsWith(`${ROOT}/wires/reference/`))).toEqual([]);
  });

  it("leave the tables of runs and steps to one file each", async () => {
    const writes = /\b(?:INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+(?:runs|steps)\b/i;
    const writers: string[] = [];
    for (const file of await sourcesIn(ROOT)) {
      if (file.endsWith("/migrations.ts")) continue;
      if (writes.test(await readFile(file, "utf8"))) writers.push(file.slice(ROOT.length + 1));
    }
    expect(writers.sort()).toEqual(["runs/run-rows.ts", "runs/step-rows.ts"]);
  });
});
