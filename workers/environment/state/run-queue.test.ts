import { describe, expect, it } from "vitest";
import { NO_HOST } from "./host.ts";
import { RunQueue } from "./run-queue.ts";
import { environmentSql } from "./sql-storage.fixture.ts";

const WORKFLOW = 1;
const OTHER = 2;
const CONNECTED = 90;
const LOST = 91;
const NOW = 1_000;
/** More runs than the queue reads at once. */
const MANY = 450;

interface MadeRun {
  readonly workflow?: number;
  readonly resumeAt?: number;
  readonly finishedAt?: number;
  readonly indexed?: 0 | 1;
}

function setUp() {
  const sql = environmentSql();
  const held = new Set<number>();
  const fallen: number[] = [];
  const queue = new RunQueue((workflow) => fallen.push(workflow));
  const holder = (run: number) => (held.has(run) ? ({} as never) : undefined);
  const hosts = { ids: () => [CONNECTED], held: { holder } };
  const make = (id: number, { workflow = WORKFLOW, resumeAt, finishedAt, indexed = 1 }: MadeRun = {}) =>
    sql.exec(
      "INSERT INTO runs (id, workflow, event, expires_at, resume_at, finished_at, indexed) VALUES (?, ?, 1, 0, ?, ?, ?)",
      id,
      workflow,
      resumeAt ?? null,
      finishedAt ?? null,
      indexed,
    );
  const sleep = (run: number, host: number) =>
    sql.exec(
      `INSERT INTO steps (run, kind, key, attempt, created_at, due_at, host, detail)
       VALUES (?, 'DURABLE_DELAY', ?, 0, 0, 5000, ?, '{}')`,
      run,
      `k${host}`,
      host,
    );
  const next = (now = NOW, workflow = WORKFLOW) => queue.next(sql, workflow, hosts, now);
  const ids = (now = NOW, workflow = WORKFLOW) => next(now, workflow).map(({ id }) => id);
  return { sql, queue, held, fallen, make, sleep, next, ids };
}

describe("a search for waiting runs", () => {
  it("finds the runs of a workflow, oldest first, each once", () => {
    const { make, ids } = setUp();
    for (const id of [3, 1, 2]) make(id);
    make(4, { workflow: OTHER });
    make(5, { finishedAt: 1 });
    expect(ids()).toEqual([1, 2, 3]);
    expect(ids()).toEqual([]);
    expect(ids(NOW, OTHER)).toEqual([4]);
  });

  it("finds a run that was made after the search had come to its end", () => {
    const { make, ids } = setUp();
    make(1);
    ids();
    make(2);
    expect(ids()).toEqual([2]);
  });

  it("goes on where the previous read ended", () => {
    const { make, ids } = setUp();
    for (let id = 1; id <= MANY; id++) make(id);
    const found: number[] = [];
    for (let some = ids(); some.length > 0; some = ids()) found.push(...some);
    expect(found).toEqual(Array.from({ length: MANY }, (_, index) => index + 1));
  });

  it("finds indexed and recent runs alike", () => {
    const { sql, make, ids } = setUp();
    make(1, { indexed: 1 });
    make(2, { indexed: 1 });
    make(3, { indexed: 0 });
    sql.exec("UPDATE indexed_runs SET until = 2");
    expect(ids()).toEqual([1, 2, 3]);
    make(4, { indexed: 0 });
    expect(ids()).toEqual([4]);
  });

  it("starts again from the first run after an undone commit", () => {
    const { queue, fallen, make, ids } = setUp();
    make(1);
    ids();
    queue.startAnew(WORKFLOW);
    expect(fallen).toEqual([WORKFLOW]);
    expect(ids()).toEqual([1]);
  });
});

describe("a requeue", () => {
  it("brings runs back before those that follow the cursor", () => {
    const { queue, fallen, make, ids } = setUp();
    for (const id of [1, 2, 3]) make(id);
    ids();
    make(4);
    queue.requeue(WORKFLOW, 3);
    queue.requeue(WORKFLOW, 1);
    expect(fallen).toEqual([WORKFLOW, WORKFLOW]);
    expect(ids()).toEqual([1, 3]);
    expect(ids()).toEqual([4]);
    expect(ids()).toEqual([]);
  });

  it("leaves a run to the cursor that has not passed it", () => {
    const { queue, fallen, make, ids } = setUp();
    make(1);
    queue.requeue(WORKFLOW, 1);
    expect(fallen).toEqual([]);
    expect(ids()).toEqual([1]);
    expect(ids()).toEqual([]);
  });

  it("skips runs that have ended or fallen asleep meanwhile", () => {
    const { sql, queue, make, sleep, ids } = setUp();
    for (const id of [1, 2, 3]) make(id);
    ids();
    for (const id of [1, 2, 3]) queue.requeue(WORKFLOW, id);
    sql.exec("UPDATE runs SET finished_at = 1 WHERE id = 1");
    sleep(2, CONNECTED);
    expect(ids()).toEqual([3]);
  });
});

describe("a postponement", () => {
  it("hides a run until its time has come", () => {
    const { queue, make, ids } = setUp();
    make(1, { resumeAt: NOW + 500 });
    make(2);
    expect(ids()).toEqual([2]);
    expect(queue.nextPostponed()).toBe(NOW + 500);
    expect(queue.endPostponements(NOW + 499)).toEqual(new Set());
    expect(queue.endPostponements(NOW + 500)).toEqual(new Set([WORKFLOW]));
    expect(queue.nextPostponed()).toBe(null);
    expect(ids(NOW + 500)).toEqual([1]);
  });

  it("counts from the last time given", () => {
    const { queue, make, ids } = setUp();
    make(1);
    ids();
    queue.postpone(WORKFLOW, 1, NOW + 100);
    queue.postpone(WORKFLOW, 1, NOW + 900);
    expect(queue.endPostponements(NOW + 100)).toEqual(new Set());
    expect(queue.nextPostponed()).toBe(NOW + 900);
  });
});

describe("a search for sleeping runs", () => {
  it.each<[string, number, boolean, boolean | undefined]>([
    ["leaves a run to its connected host", CONNECTED, false, undefined],
    ["finds a run whose host is lost", LOST, false, true],
    ["finds a run whose answer belongs to no host, and notes no loss", NO_HOST, false, false],
    ["leaves a run to the host that holds it", LOST, true, undefined],
  ])("%s", (_name, host, isHeld, lostAsleep) => {
    const { held, make, sleep, next } = setUp();
    make(1);
    sleep(1, host);
    if (isHeld) held.add(1);
    const expected = lostAsleep === undefined ? [] : [{ id: 1, asleep: true, lostAsleep }];
    expect(next()).toMatchObject(expected);
    expect(next()).toHaveLength(0);
  });

  it("follows the search for runs that are awake", () => {
    const { make, sleep, ids } = setUp();
    make(1);
    sleep(1, LOST);
    make(2);
    expect(ids()).toEqual([2]);
    expect(ids()).toEqual([1]);
  });

  it("starts again only after the loss of a host of the workflow", () => {
    const { queue, fallen, make, sleep, ids } = setUp();
    make(1);
    expect(ids()).toEqual([1]);
    expect(ids()).toEqual([]);
    sleep(1, LOST);
    expect(ids()).toEqual([]);
    queue.rescanSleepingRuns(OTHER);
    expect(ids()).toEqual([]);
    queue.rescanSleepingRuns(WORKFLOW);
    expect(fallen).toEqual([WORKFLOW]);
    expect(ids()).toEqual([1]);
  });

  it("goes past a page of runs that are held", () => {
    const { held, make, sleep, ids } = setUp();
    for (let id = 1; id <= MANY; id++) {
      make(id);
      sleep(id, LOST);
      if (id < MANY) held.add(id);
    }
    expect(ids()).toEqual([MANY]);
  });

  it("postpones a run whose time has not come", () => {
    const { queue, make, sleep, ids } = setUp();
    make(1, { resumeAt: NOW + 500 });
    sleep(1, LOST);
    expect(ids()).toEqual([]);
    queue.endPostponements(NOW + 500);
    expect(ids(NOW + 500)).toEqual([1]);
  });
});

describe("the search state for attachments", () => {
  it.each<[string, (queue: RunQueue) => void, object]>([
    ["has the cursor as its watermark", () => {}, { watermark: 9, postponed: false }],
    ["falls before a requeued run", (queue) => queue.requeue(WORKFLOW, 5), { watermark: 4, postponed: false }],
    [
      "falls before the oldest of several requeued runs",
      (queue) => {
        queue.requeue(WORKFLOW, 7);
        queue.requeue(WORKFLOW, 3);
      },
      { watermark: 2 },
    ],
    [
      "falls before a postponed run",
      (queue) => queue.postpone(WORKFLOW, 6, NOW + 1),
      { watermark: 5, postponed: true },
    ],
    [
      "ignores the runs of other workflows",
      (queue) => {
        queue.postpone(OTHER, 6, NOW + 1);
        queue.resume(OTHER, { watermark: 8, sleepersSought: true, postponed: false });
        queue.requeue(OTHER, 2);
      },
      { watermark: 9, postponed: false },
    ],
    [
      "falls to zero after an undone commit",
      (queue) => queue.startAnew(WORKFLOW),
      { watermark: 0, sleepersSought: false },
    ],
  ])("%s", (_name, change, expected) => {
    const { queue, make, ids } = setUp();
    make(9);
    ids();
    change(queue);
    expect(queue.state(WORKFLOW)).toMatchObject(expected);
  });

  it("makes the search go on from the furthest watermark", () => {
    const { queue, make, sleep, ids } = setUp();
    for (const id of [1, 2, 3, 4]) make(id);
    sleep(4, LOST);
    queue.resume(WORKFLOW, { watermark: 1, sleepersSought: true, postponed: false });
    queue.resume(WORKFLOW, { watermark: 2, sleepersSought: false, postponed: false });
    queue.resume(WORKFLOW, { watermark: 1, sleepersSought: false, postponed: false });
    expect(ids()).toEqual([3]);
    expect(ids()).toEqual([]);
    expect(queue.toLookThrough()).toEqual(new Set());
  });

  it("names the workflows whose runs were postponed", () => {
    const { queue } = setUp();
    queue.resume(WORKFLOW, { watermark: 1, sleepersSought: true, postponed: true });
    queue.resume(OTHER, { watermark: 1, sleepersSought: true, postponed: false });
    expect(queue.toLookThrough()).toEqual(new Set([WORKFLOW]));
  });
});
