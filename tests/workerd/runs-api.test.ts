// Reading runs: one run, lists by keyset and by numbered pages, filters, bad parameters. Another environment's data
// cannot be read or told apart from missing data (promise 5).
import { describe, expect, it } from "vitest";
import type { RunSummary } from "../../shared/api/runs.ts";
import { PAGE_DEFAULT, PAGE_MAX, VALUE_MAX_BYTES } from "../../shared/kernel/limits.ts";
import {
  advanceClock,
  getJson,
  inside,
  makeEnvironment,
  post,
  request,
  resetClock,
  rows,
  send,
  type TestEnvironment,
  TestHost,
  withKey,
} from "./support.ts";

interface Page {
  readonly data: RunSummary[];
  readonly next: string | null;
  readonly pagination?: { readonly page: number; readonly totalPages: number; readonly totalCount: number };
}

const page = ({ key }: TestEnvironment, path: string): Promise<Page> => getJson(key, path);
const ids = ({ data }: Page): string[] => data.map(({ id }) => id);

/** An environment with the workflows `starter` and `other`, without hosts that would take their runs. */
async function environment(): Promise<TestEnvironment> {
  const live = await makeEnvironment("live");
  for (const [workflow, event] of [
    ["starter", "paid"],
    ["other", "refunded"],
  ] as const) {
    const host = await TestHost.listening(live.key, workflow, event);
    host.socket.close(1000);
    await host.closure();
  }
  return live;
}

async function sendMany({ key }: TestEnvironment, count: number, name = "paid"): Promise<string[]> {
  const events = Array.from({ length: count }, (_, i) => ({ event: { name, payload: i } }));
  const items = (await (await post(key, "/api/v1/events", events)).json()) as { runs: { id: string }[] }[];
  return items.flatMap(({ runs }) => runs.map(({ id }) => id));
}

/** Follows `next` to the end and returns all ids; calls `between` after every page. */
async function walk(
  live: TestEnvironment,
  path: string,
  between: () => Promise<unknown> = async () => {},
): Promise<string[]> {
  const seen: string[] = [];
  let cursor = "";
  for (let pages = 0; pages < 1_000; pages++) {
    const found = await page(live, `${path}${cursor}`);
    seen.push(...ids(found));
    if (found.next === null) return seen;
    cursor = `&cursor=${found.next}`;
    await between();
  }
  throw new Error("the pages do not end");
}

describe("GET /api/v1/runs/:id", () => {
  it("returns the run with its event, with and without .json", async () => {
    const live = await environment();
    const event = {
      name: "paid",
      payload: { a: [1, null] },
      context: { by: "u1" },
      timestamp: "2026-01-02T03:04:05+01:00",
    };
    const posted = await post(live.key, "/api/v1/events", { id: "e1", event });
    const { runs } = (await posted.json()) as { runs: { id: string }[] };
    const id = runs[0]?.id ?? "";
    const [plain, json] = [
      await request(`/api/v1/runs/${id}`, withKey(live.key)),
      await request(`/api/v1/runs/${id}.json`, withKey(live.key)),
    ];
    expect([plain.status, plain.headers.get("content-type")]).toEqual([200, "application/json"]);
    const text = await plain.text();
    expect(await json.text()).toBe(text);
    expect(JSON.parse(text)).toEqual({
      id,
      environmentId: live.id,
      workflow: { slug: "starter", name: "starter" },
      status: "PENDING",
      isTest: false,
      attempts: 0,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      event: {
        id: "e1",
        name: "paid",
        payload: event.payload,
        context: event.context,
        timestamp: "2026-01-02T02:04:05.000Z",
      },
      tasks: [],
    });
  });

  it.each([
    "run_none",
    "x",
    "%20",
    "%00",
    "run_",
    "evt_1",
    "..%2F..%2Fevents",
    `run_${"z".repeat(23)}`,
    "%F0%9F%98%80",
    "%E0%A4%A",
    "a.json",
  ])("returns the same 404 for any other id: %s", async (id) => {
    const live = await environment();
    const response = await request(`/api/v1/runs/${id}`, withKey(live.key));
    expect([response.status, await response.json()]).toEqual([404, { error: "Run not found" }]);
  });

  it("returns a run with more logs than one answer can carry", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await send(live.key, "paid");
    const { id } = await host.offer();
    await host.start(id);
    for (let i = 0; i < 36; i++) {
      await host.call("SEND_LOG", {
        runId: id,
        key: "k",
        log: { level: "INFO", message: String(i).padEnd(VALUE_MAX_BYTES - 2, ".") },
      });
    }
    await host.complete(id, "done");
    const response = await request(`/api/v1/runs/${id}`, withKey(live.key));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "SUCCESS", output: "done" });
  });
});

describe("a list of runs", () => {
  it.each([
    "/api/v1/runs",
    "/api/v1/runs.json",
    "/api/v1/workflows/starter/runs",
    "/api/v1/workflows/starter/runs.json",
  ])("starts with the newest, %s", async (path) => {
    const live = await environment();
    const made = await sendMany(live, 25);
    expect(ids(await page(live, path))).toEqual(made.toReversed().slice(0, PAGE_DEFAULT));
    expect(ids(await page(live, `${path}?limit=3`))).toEqual(made.toReversed().slice(0, 3));
    expect(ids(await page(live, `${path}?limit=${PAGE_MAX}`))).toEqual(made.toReversed());
  });

  it("leaves out payloads, outputs and logs", async () => {
    const live = await environment();
    await send(live.key, "paid", { s3cr3t: 1 }, "e1");
    const { data } = await page(live, "/api/v1/runs");
    expect(data).toEqual([
      {
        id: expect.stringMatching(/^run_/),
        environmentId: live.id,
        workflow: { slug: "starter", name: "starter" },
        status: "PENDING",
        isTest: false,
        attempts: 0,
        createdAt: expect.any(String),
        event: { id: "e1", name: "paid", timestamp: expect.any(String) },
      },
    ]);
  });

  it("says that it ends when there are no runs", async () => {
    const live = await environment();
    expect(await page(live, "/api/v1/runs")).toEqual({ data: [], next: null });
    expect(await page(live, "/api/v1/workflows/starter/runs")).toEqual({
      data: [],
      next: null,
      pagination: { page: 1, totalPages: 0, totalCount: 0 },
    });
  });
});

describe("keyset pages", () => {
  it.each([
    "/api/v1/runs?limit=7",
    "/api/v1/runs?limit=7&workflow=starter",
    "/api/v1/runs?limit=100&status=PENDING",
    "/api/v1/workflows/starter/runs?limit=7",
  ])("walk every run once while new ones arrive: %s", async (path) => {
    const live = await environment();
    const made = await sendMany(live, 40);
    const seen = await walk(live, path, () => sendMany(live, 3));
    expect(seen).toEqual(made.toReversed());
  });

  it("end exactly at the last run", async () => {
    const live = await environment();
    await sendMany(live, 14);
    const first = await page(live, "/api/v1/runs?limit=7");
    const second = await page(live, `/api/v1/runs?limit=7&cursor=${first.next}`);
    expect([first.data.length, second.data.length, second.next]).toEqual([7, 7, null]);
  });

  it("hold only the runs of their workflow", async () => {
    const live = await environment();
    const [mine, others] = [await sendMany(live, 10), await sendMany(live, 10, "refunded")];
    const more = await sendMany(live, 10);
    expect(await walk(live, "/api/v1/runs?limit=4&workflow=starter")).toEqual([...mine, ...more].toReversed());
    expect(await walk(live, "/api/v1/workflows/other/runs?limit=4")).toEqual(others.toReversed());
    expect(await page(live, "/api/v1/runs?workflow=none")).toEqual({ data: [], next: null });
  });

  it("go on after a page that found nothing because there was too much to scan", async () => {
    const live = await environment();
    const [oldest] = await sendMany(live, 1, "refunded");
    const event = await send(live.key, "paid");
    expect(event.runs).toHaveLength(1);
    await inside(live.stub, ({ storage }) => {
      storage.sql.exec(
        `INSERT INTO runs (id, workflow, event, expires_at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000)
         SELECT r.id + n.i, r.workflow, r.event, r.expires_at FROM n, (SELECT * FROM runs ORDER BY id DESC LIMIT 1) r`,
      );
    });
    const first = await page(live, "/api/v1/runs?workflow=other");
    expect([first.data, first.next]).toEqual([[], expect.stringMatching(/^run_/)]);
    expect(await walk(live, "/api/v1/runs?limit=20&workflow=other")).toEqual([oldest]);
  });
});

describe("numbered pages of a workflow", () => {
  it("count its runs and pages, as in the reference API", async () => {
    const live = await environment();
    const made = (await sendMany(live, 23)).toReversed();
    await sendMany(live, 5, "refunded");
    const path = "/api/v1/workflows/starter/runs?limit=10";
    for (const [number, slice] of [
      [1, made.slice(0, 10)],
      [2, made.slice(10, 20)],
      [3, made.slice(20)],
      [4, []],
    ] as const) {
      const found = await page(live, `${path}&page=${number}`);
      expect([ids(found), found.pagination]).toEqual([slice, { page: number, totalPages: 3, totalCount: 23 }]);
      expect(found.next === null).toBe(number >= 3);
    }
    expect(await page(live, path)).toEqual(await page(live, `${path}&page=1`));
  });

  it("can be left for keyset pages at any time", async () => {
    const live = await environment();
    const made = (await sendMany(live, 12)).toReversed();
    const { next } = await page(live, "/api/v1/workflows/starter/runs?limit=5&page=1");
    expect(ids(await page(live, `/api/v1/workflows/starter/runs?limit=5&cursor=${next}`))).toEqual(made.slice(5, 10));
  });

  it("get 404 for a missing workflow, in every form", async () => {
    const live = await environment();
    const [cursor] = await sendMany(live, 1);
    const cursors = [`none/runs?cursor=${cursor}`, `none/runs.json?cursor=${cursor}`];
    for (const path of [...cursors, "none/runs", "none/runs.json", "none/runs?page=2", "__proto__/runs", "%20/runs"]) {
      const response = await request(`/api/v1/workflows/${path}`, withKey(live.key));
      expect([response.status, await response.json()]).toEqual([404, { error: "Workflow not found" }]);
    }
  });

  it.each(["with space", "a/b", "ä€😀", "100%", "a.json", "runs"])("serve a workflow named %j", async (slug) => {
    const live = await makeEnvironment("live");
    await TestHost.listening(live.key, slug, "paid");
    await send(live.key, "paid");
    expect((await page(live, `/api/v1/workflows/${encodeURIComponent(slug)}/runs`)).pagination?.totalCount).toBe(1);
    expect((await page(live, `/api/v1/runs?workflow=${encodeURIComponent(slug)}`)).data).toHaveLength(1);
  });
});

describe("the filter by status", () => {
  async function mixed(): Promise<{ live: TestEnvironment; byStatus: Record<string, string[]> }> {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "paid");
    await sendMany(live, 8);
    const runs = await host.offers(8);
    for (const id of runs.slice(0, 6)) await host.start(id);
    for (const id of runs.slice(0, 2)) await host.complete(id, 1);
    for (const id of runs.slice(2, 4)) await host.call("SEND_WORKFLOW_ERROR", { runId: id, error: {} });
    const byStatus = {
      SUCCESS: runs.slice(0, 2),
      ERROR: runs.slice(2, 4),
      RUNNING: runs.slice(4, 6),
      PENDING: runs.slice(6),
    };
    return { live, byStatus };
  }

  it.each([
    "/api/v1/runs?",
    "/api/v1/runs?workflow=starter&",
    "/api/v1/workflows/starter/runs?",
    "/api/v1/workflows/starter/runs.json?page=1&",
  ])("applies to %s", async (path) => {
    const { live, byStatus } = await mixed();
    for (const [status, expected] of Object.entries(byStatus)) {
      const { data } = await page(live, `${path}status=${status}`);
      expect(data.map((run) => [run.id, run.status])).toEqual(expected.toReversed().map((id) => [id, status]));
    }
    expect((await page(live, `${path}status=CANCELED`)).data).toEqual([]);
  });

  it("limits the totals of numbered pages", async () => {
    const { live } = await mixed();
    const { pagination } = await page(live, "/api/v1/workflows/starter/runs?status=SUCCESS&limit=1");
    expect(pagination).toEqual({ page: 1, totalPages: 2, totalCount: 2 });
  });

  it("applies to keyset pages too", async () => {
    const { live, byStatus } = await mixed();
    expect(await walk(live, "/api/v1/runs?limit=1&status=ERROR")).toEqual(byStatus.ERROR?.toReversed());
  });
});

describe("a bad parameter", () => {
  const bad = [
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=1.5",
    "limit=",
    "limit=ten",
    "limit=1e2",
    "limit=+5",
    "limit=0x10",
    `limit=${"9".repeat(400)}`,
    "status=",
    "status=success",
    "status=DONE",
    "status=__proto__",
    "cursor=",
    "cursor=x",
    "cursor=run_1",
    "cursor=evt_00000000000000000000000",
  ];

  it.each(bad)("gets 422 on every list: %s", async (parameter) => {
    const live = await environment();
    for (const path of [
      "/api/v1/runs",
      "/api/v1/runs.json",
      "/api/v1/workflows/starter/runs",
      "/api/v1/workflows/starter/runs.json",
    ]) {
      const response = await request(`${path}?${parameter}`, withKey(live.key));
      expect([path, response.status]).toEqual([path, 422]);
      const { error } = (await response.json()) as { error: string };
      expect(error).toContain(parameter.split("=")[0]);
    }
  });

  it.each(["page=0", "page=-1", "page=1.5", "page=", "page=x", "page=1e3", `page=${"9".repeat(30)}`])(
    "gets 422 on numbered pages: %s",
    async (parameter) => {
      const live = await environment();
      expect((await request(`/api/v1/workflows/starter/runs?${parameter}`, withKey(live.key))).status).toBe(422);
    },
  );
});

describe("the key of another environment", () => {
  it("reads nothing, and gets the answers for what does not exist", async () => {
    const [live, development] = [await environment(), await makeEnvironment("development")];
    const [runId = ""] = await sendMany(live, 3);
    const read = async (path: string) => {
      const response = await request(path, withKey(development.key));
      return [response.status, [...response.headers], await response.text()];
    };
    // An id of their environment that no run has.
    const noRun = runId.slice(0, -9) + [...runId.slice(-9)].toReversed().join("");
    expect(noRun).not.toBe(runId);
    for (const [theirs, none] of [
      [`/api/v1/runs/${runId}`, "/api/v1/runs/run_none"],
      [`/api/v1/runs/${runId}.json`, `/api/v1/runs/${noRun}.json`],
      ["/api/v1/workflows/starter/runs", "/api/v1/workflows/none/runs"],
      ["/api/v1/workflows/starter/runs?page=1", "/api/v1/workflows/none/runs?page=1"],
      ["/api/v1/workflows/starter/runs.json", "/api/v1/workflows/none/runs.json"],
      ["/api/v1/runs?workflow=starter", "/api/v1/runs?workflow=none"],
      [`/api/v1/runs?cursor=${runId}`, `/api/v1/runs?cursor=${noRun}`],
      [`/api/v1/workflows/starter/runs?cursor=${runId}`, `/api/v1/workflows/none/runs?cursor=${noRun}`],
    ] as const) {
      expect(await read(theirs)).toEqual(await read(none));
    }
    for (const path of ["/api/v1/runs", "/api/v1/workflows"]) {
      expect(await getJson(development.key, path)).toEqual({ data: [], next: null });
    }
    expect((await request(`/api/v1/runs/${runId}`, withKey(live.key))).status).toBe(200);
  });

  it("reads nothing even if both have workflows, events and runs of the same names", async () => {
    const [live, development] = [await environment(), await environment()];
    const mine = await sendMany(live, 3);
    const theirs = await sendMany(development, 2);
    expect(ids(await page(live, "/api/v1/runs"))).toEqual(mine.toReversed());
    expect(ids(await page(development, "/api/v1/workflows/starter/runs"))).toEqual(theirs.toReversed());
    for (const id of mine) expect((await request(`/api/v1/runs/${id}`, withKey(development.key))).status).toBe(404);
  });
});

it("writes nothing on reading, even if a run has timed out meanwhile", async () => {
  const live = await environment();
  const [id] = await sendMany(live, 1);
  let before: unknown;
  try {
    advanceClock(2 * 3_600_000);
    // The first use of a key in a minute is recorded.
    await getJson(live.key, "/api/v1/workflows");
    before = await rows(live, "SELECT total_changes() AS n");
    expect(await getJson(live.key, `/api/v1/runs/${id}`)).toMatchObject({ status: "TIMED_OUT" });
    await page(live, "/api/v1/runs?status=TIMED_OUT");
    await page(live, "/api/v1/workflows/starter/runs");
    await getJson(live.key, "/api/v1/workflows");
  } finally {
    resetClock();
  }
  expect(await rows(live, "SELECT total_changes() AS n")).toEqual(before);
});
