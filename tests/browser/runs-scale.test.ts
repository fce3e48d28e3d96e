// `npm run scale:runs`: a browser opens the list of a million runs, and pages through it. The runs are written into the
// environment's SQLite file while the router is stopped. What a page costs is counted in tests/workerd/runs-lists.test.ts,
// which is tried with fewer runs on every test.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { Connection, type Router, startHost, startRouter } from "../system/support.ts";
import { openMenu, openWindow, pageOf, startBrowser, WIDTHS, type Window } from "./support.ts";

const RUNS = Number(process.env.SCALE_RUNS ?? 0);
const OPENS_WITHIN_MS = 1_000;
const ROUNDS = 5;
const PAGES = 20;

it.runIf(RUNS > 0)(
  `the list of ${RUNS.toLocaleString("en")} runs opens in under a second, and its pages take as long as the first`,
  async () => {
    const first = await startRouter();
    const host = await startHost(first, "development", "starter.ts");
    const connection = new Connection(first, "development");
    const { runs } = await connection.event("basic.starter", { id: "the first" });
    await connection.runWith(String(runs[0]?.id), "SUCCESS");
    await host.stop("SIGKILL");
    await first.child.stop("SIGTERM");
    await addRuns(first, RUNS);
    const router = await startRouter({ directory: first.directory });
    const browser = await startBrowser();
    try {
      for (const width of WIDTHS) {
        const window = await openWindow(browser, router, width);
        const loads: number[] = [];
        const clicks: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          loads.push(await shown(window, () => window.page.goto(pageOf(router, "development", "runs"))));
          await window.page.goto(pageOf(router, "development"));
          await window.page.getByRole("heading", { level: 1 }).waitFor();
          await openMenu(window);
          clicks.push(
            await shown(window, () => window.page.getByRole("link", { name: "Runs", exact: true }).first().click()),
          );
        }
        const text = (times: number[]) => times.map((time) => time.toFixed(0)).join(", ");
        console.log(
          `${RUNS} runs at ${width} px, ms to the first rows: ${text(loads)} by address, ${text(clicks)} by link`,
        );
        for (const times of [loads, clicks]) expect(median(times)).toBeLessThan(OPENS_WITHIN_MS);
        await window.context.close();
      }
      const times = await pageTimes(router);
      const [fastest = 0, slowest = 0] = [Math.min(...times), Math.max(...times)];
      console.log(`${PAGES} pages of 100 over HTTP: ${fastest.toFixed(1)} to ${slowest.toFixed(1)} ms`);
      expect(slowest).toBeLessThan(OPENS_WITHIN_MS);
    } finally {
      await browser.close();
    }
  },
  600_000,
);

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** Milliseconds until the list shows rows. */
async function shown({ page }: Window, open: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await open();
  await page.getByRole("list", { name: "Runs" }).getByRole("listitem").first().waitFor();
  return performance.now() - started;
}

/** Copies the newest run so many times, a millisecond apart, all in the past. */
async function addRuns({ directory }: Router, count: number): Promise<void> {
  const files = await readdir(join(directory, "storage"), { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(directory, "storage", file));
    const settings = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'settings'").get();
    const slug = settings && database.prepare("SELECT environment_slug AS slug FROM settings").get()?.slug;
    if (slug === "development") {
      database.exec(`INSERT INTO runs (id, workflow, event, expires_at, started_at, finished_at, status, output)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        SELECT r.id - n.i * 4096, r.workflow, r.event, r.expires_at, r.started_at, r.finished_at, r.status, r.output
        FROM n, (SELECT * FROM runs ORDER BY id DESC LIMIT 1) r`);
      const { runs } = database.prepare("SELECT count(*) AS runs FROM runs").get() as { runs: number };
      expect(runs).toBe(count + 1);
    }
    database.close();
  }
}

/** Milliseconds of each of the first pages, one after the other. */
async function pageTimes(router: Router): Promise<number[]> {
  const connection = new Connection(router, "development");
  const times: number[] = [];
  let cursor = "";
  for (let page = 0; page < PAGES; page++) {
    const started = performance.now();
    const { status, body } = await connection.send("GET", `/api/v1/runs?limit=100${cursor}`);
    times.push(performance.now() - started);
    expect(status).toBe(200);
    cursor = `&cursor=${(JSON.parse(body) as { next: string }).next}`;
  }
  connection.close();
  return times;
}
