// Schedules: what is emitted, when, and into which environment; with ticks that are missed, doubled, late or cut off.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MEMBER } from "../../shared/contracts/environment.ts";
import { BOOK_NAMES, bookName, type OrganizationSchedule } from "../../shared/contracts/schedule-book.ts";
import { newOrganizationId } from "../../shared/ids/ids.ts";
import { now } from "../../shared/kernel/clock.ts";
import { hasTable } from "../../workers/platform/object-storage.ts";
import { tickSchedules } from "../../workers/scheduler/index.ts";
import { MINUTE } from "./durable-support.ts";
import {
  advanceClock,
  bindings,
  getJson,
  injectBug,
  inside,
  makeEnvironment,
  post,
  registration,
  resetClock,
  rows,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

let organization: string;
let live: TestEnvironment;
let development: TestEnvironment;

beforeEach(async () => {
  // Schedules that an earlier test left due in a shared book do not belong to this test.
  for (const name of BOOK_NAMES) {
    await runInDurableObject(bindings.SCHEDULE_BOOK.getByName(name), (_, { storage }) => {
      if (hasTable(storage.sql, "environments")) storage.sql.exec("DELETE FROM environments");
    });
  }
  organization = newOrganizationId();
  live = await makeEnvironment("live", organization);
  development = await makeEnvironment("development", organization);
  toMinute(0);
});
afterEach(resetClock);

/** Moves the clock to this many seconds after the next whole hour but one. */
function toMinute(second: number): void {
  const hour = 60 * MINUTE;
  advanceClock(Math.ceil(now() / hour) * hour + hour - now() + second * 1_000);
}

const EVERY_MINUTE = { cron: "* * * * *" };
const SLUG = "clockwork";
const book = () => bindings.SCHEDULE_BOOK.getByName(bookName(organization));
const tick = (time = now()) => tickSchedules(time, bindings);
/** The current minute, whole. */
const thisMinute = () => Math.floor(now() / MINUTE) * MINUTE;
const iso = (time: number) => new Date(time).toISOString();

async function schedule(
  { key }: Pick<TestEnvironment, "key">,
  source: object = EVERY_MINUTE,
  slug = SLUG,
): Promise<{ host: TestHost; answer: unknown }> {
  const host = await TestHost.connect(key);
  return { host, answer: await announce(host, source, slug) };
}

async function announce(host: TestHost, source: object, slug = SLUG): Promise<unknown> {
  const trigger = { type: "SCHEDULE", service: "scheduler", name: "scheduled-event", source };
  return host.call("INITIALIZE_HOST_V2", { ...registration(slug, "scheduled-event", {}), trigger });
}

interface EventRow extends Record<string, SqlStorageValue> {
  sender_id: string | null;
  name: string;
  payload: string;
  context: string;
  is_test: number;
  runs: string;
}

const events = (environment: TestEnvironment) =>
  rows<EventRow>(environment, "SELECT sender_id, name, payload, context, is_test, runs FROM events ORDER BY id");
/** The emitted times, in order. */
const times = async (environment: TestEnvironment) =>
  (await events(environment)).map(({ payload }) => JSON.parse(payload).scheduledTime as string);

/** The book's entry for an environment. */
const knownTo = (each: ReturnType<typeof book>, id: string) =>
  runInDurableObject(each, (_, { storage }) =>
    storage.sql.exec("SELECT next_at FROM environments WHERE id = ?", id).one(),
  );

/** True once the book has confirmed all notices. */
async function bookTold(...environments: TestEnvironment[]): Promise<void> {
  for (const environment of environments) {
    await expect.poll(() => rows(environment, "SELECT * FROM owed_wake"), { timeout: 5_000 }).toEqual([]);
  }
}

function ofOrganization(change: Partial<OrganizationSchedule> = {}): OrganizationSchedule {
  const times = { cron: "*/5 * * * *", timezone: "UTC" };
  return { id: "sch_1", name: "digest", ...times, event: "digest.due", payload: '{"a":1}', enabled: true, ...change };
}

const tell = ({ stub, state }: TestEnvironment, revision: number, more: object) =>
  stub.provision({ ...state, revision, ...more });

const list = async ({ stub }: TestEnvironment) => {
  const answer = await stub.listSchedules(MEMBER, { limit: 100, cursor: null });
  if (!answer.ok) throw new Error(answer.refused);
  return answer.value.data;
};

describe("a workflow's schedule", () => {
  it("enters the environments where it is registered, each once, with the last time", async () => {
    const { host: inLive } = await schedule(live);
    const { host: inDevelopment } = await schedule(development);
    await bookTold(live, development);
    const start = thisMinute();
    await tick();
    expect(await events(live)).toEqual([]);

    advanceClock(MINUTE);
    await tick();
    const first = iso(start + MINUTE);
    for (const [host, slug] of [
      [inLive, "live"],
      [inDevelopment, "development"],
    ] as const) {
      const { input, meta } = await host.offer();
      expect(input).toEqual({ scheduledTime: first });
      expect(meta).toMatchObject({ environment: slug, workflowId: SLUG });
    }

    advanceClock(MINUTE);
    await tick();
    expect((await inLive.offer()).input).toEqual({ scheduledTime: iso(start + 2 * MINUTE), lastRunAt: first });
    expect((await events(live)).map(({ sender_id }) => sender_id)).toEqual([
      `workflow:${SLUG}:${first}`,
      `workflow:${SLUG}:${iso(start + 2 * MINUTE)}`,
    ]);
  });

  it("starts its own workflow only", async () => {
    await schedule(live, EVERY_MINUTE, "one");
    await schedule(live, { cron: "30 * * * *" }, "other");
    await bookTold(live);
    advanceClock(MINUTE);
    await tick();
    expect(await events(live)).toHaveLength(1);
    expect((await getJson<{ data: { workflow: object }[] }>(live.key, "/api/v1/runs")).data).toMatchObject([
      { workflow: { slug: "one" } },
    ]);
  });

  it("follows each environment's own cron where the two differ", async () => {
    await schedule(live, { cron: "*/2 * * * *" });
    await schedule(development, { cron: "*/3 * * * *" });
    await bookTold(live, development);
    const start = thisMinute();
    for (let minute = 0; minute < 6; minute++) {
      advanceClock(MINUTE);
      await tick();
    }
    expect(await times(live)).toEqual([2, 4, 6].map((minute) => iso(start + minute * MINUTE)));
    expect(await times(development)).toEqual([3, 6].map((minute) => iso(start + minute * MINUTE)));
  });

  it("counts a rate from the minute it was first registered in, and does not drift", async () => {
    advanceClock(42_000);
    const began = thisMinute();
    const { host } = await schedule(live, { rateOf: { minutes: 10 } });
    await bookTold(live);
    advanceClock(17 * MINUTE);
    await tick();
    await announce(host, { rateOf: { minutes: 10 } });
    advanceClock(4 * MINUTE);
    await tick();
    expect(await times(live)).toEqual([iso(began + 10 * MINUTE), iso(began + 20 * MINUTE)]);
  });

  it("follows a changed definition, after now only", async () => {
    const { host } = await schedule(live, { cron: "0 0 1 1 *" });
    await bookTold(live);
    advanceClock(30_000);
    const start = thisMinute();
    await announce(host, EVERY_MINUTE);
    await bookTold(live);
    await tick();
    expect(await times(live)).toEqual([]);
    advanceClock(MINUTE);
    await tick();
    expect(await times(live)).toEqual([iso(start + MINUTE)]);
  });

  it("ends with its workflow, and repeats no time when that comes back", async () => {
    const { host } = await schedule(live);
    await bookTold(live);
    advanceClock(MINUTE);
    await tick();
    host.socket.close(1000);
    await expect.poll(async () => (await live.stub.changeWorkflow(MEMBER, SLUG, "deregister")).ok).toBe(true);
    await expect.poll(() => list(live)).toEqual([]);
    await bookTold(live);
    advanceClock(5 * MINUTE);
    await tick();
    expect(await times(live)).toHaveLength(1);
    await schedule(live);
    await bookTold(live);
    await tick();
    expect(await times(live)).toHaveLength(1);
    advanceClock(MINUTE);
    await tick();
    expect(await times(live)).toHaveLength(2);
  });

  it("ends when its workflow registers for something else", async () => {
    const { host } = await schedule(live);
    await host.call("INITIALIZE_HOST_V2", registration(SLUG, "go", { event: ["go"] }));
    expect(await list(live)).toEqual([]);
    await bookTold(live);
    advanceClock(MINUTE);
    await tick();
    expect(await events(live)).toEqual([]);
  });

  it.each([
    ["61 * * * *", 'trigger.source.cron: the minute "61" cannot be used'],
    ["0 0 30 2 *", "trigger.source.cron: never comes"],
    ["* * * *", "trigger.source.cron: has 4 fields"],
  ])("refuses %s at registration, and the field is named", async (cron, message) => {
    const { answer } = await schedule(live, { cron });
    expect(answer).toEqual({ type: "error", message: expect.stringContaining(message) });
    expect(await list(live)).toEqual([]);
  });

  it("costs no row when it is registered again unchanged", async () => {
    const { host } = await schedule(live);
    await bookTold(live);
    const count = () => rows<{ n: number }>(live, "SELECT total_changes() AS n");
    const before = await count();
    await announce(host, EVERY_MINUTE);
    expect(await count()).toEqual(before);
  });
});

describe("ticks", () => {
  beforeEach(async () => {
    await schedule(live);
    await schedule(development);
    await bookTold(live, development);
  });

  it.each([1, 3, 90])("make up for the latest time, and no other, after %i missed minutes", async (minutes) => {
    const start = thisMinute();
    advanceClock(MINUTE);
    await tick();
    advanceClock((minutes + 1) * MINUTE);
    await tick();
    for (const environment of [live, development]) {
      expect(await times(environment)).toEqual([iso(start + MINUTE), iso(start + (minutes + 2) * MINUTE)]);
    }
  });

  it("say so in the event when they come late", async () => {
    await schedule(live, { cron: "0 * * * *" }, "hourly");
    await bookTold(live);
    advanceClock(90 * MINUTE);
    await tick();
    const late = (await events(live)).filter(({ sender_id }) => sender_id?.startsWith("workflow:hourly"));
    expect(late.map(({ context }) => JSON.parse(context).schedule)).toEqual([
      { id: "workflow:hourly", scheduledTime: iso(thisMinute() - 30 * MINUTE), late: true },
    ]);
    const punctual = (await events(live)).find(({ sender_id }) => sender_id?.startsWith(`workflow:${SLUG}`));
    expect(JSON.parse(punctual?.context ?? "").schedule).not.toHaveProperty("late");
  });

  it("emit once when they are doubled, at once and one after the other", async () => {
    advanceClock(MINUTE);
    await Promise.all([tick(), tick(), tick()]);
    await tick();
    for (const environment of [live, development]) expect(await times(environment)).toHaveLength(1);
  });

  it("emit each time at most once when they are out of order, and the latest", async () => {
    const start = thisMinute();
    advanceClock(3 * MINUTE);
    await tick(start + 3 * MINUTE);
    await tick(start + MINUTE);
    await tick(start + 2 * MINUTE);
    expect(await times(live)).toEqual([iso(start + 3 * MINUTE)]);
  });

  it("count when they fire a moment early, not when far ahead", async () => {
    const start = thisMinute();
    advanceClock(MINUTE - 20);
    await tick(start + MINUTE);
    expect(await times(live)).toEqual([iso(start + MINUTE)]);
    await tick(start + 60 * MINUTE);
    expect(await times(live)).toHaveLength(2);
    expect((await times(live)).at(-1)).toBe(iso(start + MINUTE + MINUTE));
  });

  it("emit nothing twice when they are cut off after an environment emitted and before the book knew", async () => {
    advanceClock(MINUTE);
    await live.stub.emitSchedules(now());
    await tick();
    expect(await times(live)).toHaveLength(1);
    expect(await times(development)).toHaveLength(1);
  });

  it("go on by the alarm when they are cut off in the middle", async () => {
    advanceClock(MINUTE);
    // The book after a tick that ended in the middle: one environment asked, the alarm set.
    await live.stub.emitSchedules(now());
    await runInDurableObject(book(), (_, { storage }) => storage.setAlarm(Date.now() + 60_000));
    await runDurableObjectAlarm(book());
    expect(await times(live)).toHaveLength(1);
    expect(await times(development)).toHaveLength(1);
    expect(await runInDurableObject(book(), (_, { storage }) => storage.getAlarm())).toBeNull();
  });

  it("make up next time for an environment that fails, without holding up the other", async () => {
    await injectBug(live, (query) => query.startsWith("INSERT INTO events"));
    const start = thisMinute();
    advanceClock(MINUTE);
    await tick();
    expect(await times(live)).toEqual([]);
    expect(await times(development)).toEqual([iso(start + MINUTE)]);
    await inside(live.stub, ({ storage }) => {
      Reflect.deleteProperty(storage.sql, "exec");
    });
    await tick();
    expect(await times(live)).toEqual([iso(start + MINUTE)]);
  });

  it("emit the latest time into an environment that was nearly full once it has room again", async () => {
    let size = 10e9;
    await inside(live.stub, ({ storage }) => {
      Object.defineProperty(storage.sql, "databaseSize", { configurable: true, get: () => size });
    });
    const start = thisMinute();
    for (const room of [false, false, true]) {
      if (room) size = 1_000;
      advanceClock(MINUTE);
      await tick();
    }
    expect(await times(live)).toEqual([iso(start + 3 * MINUTE)]);
    expect(await times(development)).toEqual([1, 2, 3].map((minute) => iso(start + minute * MINUTE)));
  });

  it("ask nothing of a book without environments, nor of an environment with nothing due", async () => {
    const untouched = "book_of_nobody";
    const outcome = await bindings.SCHEDULE_BOOK.getByName(untouched).tick(now());
    expect(outcome).toEqual({ environments: 0, events: 0, failed: 0 });
    const tables = await runInDurableObject(bindings.SCHEDULE_BOOK.getByName(untouched), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT GLOB '_cf_*'").toArray(),
    );
    expect(tables).toEqual([]);
    expect(await book().tick(now())).toEqual({ environments: 0, events: 0, failed: 0 });
  });

  it("write four rows for a schedule and its run: the schedule, the event and its id, and the run", async () => {
    const count = async () => (await rows<{ n: number }>(live, "SELECT total_changes() AS n"))[0]?.n ?? 0;
    const before = await count();
    advanceClock(MINUTE);
    await tick();
    // As SQLite counts, which leaves out the entries of indexes.
    expect((await count()) - before).toBe(3);
  });

  it("forget an environment that was deleted", async () => {
    await live.stub.deprovision();
    advanceClock(MINUTE);
    await tick();
    const left = await runInDurableObject(book(), (_, { storage }) =>
      storage.sql
        .exec<{ id: string }>("SELECT id FROM environments")
        .toArray()
        .map(({ id }) => id),
    );
    expect(left).not.toContain(live.id);
    expect(left).toContain(development.id);
  });
});

describe("the book's entry", () => {
  it("changes only to newer content", async () => {
    const environmentId = live.id;
    const stored = () => knownTo(book(), environmentId);
    await book().wakeAt({ environmentId, at: 5, version: 10 });
    await book().wakeAt({ environmentId, at: 7, version: 9 });
    expect(await stored()).toEqual({ next_at: 5 });
    await book().wakeAt({ environmentId, at: null, version: 11 });
    expect(await stored()).toEqual({ next_at: null });
  });

  it("stays owed until the book has confirmed it, and the alarm sends it again", async () => {
    await inside(live.stub, (_, instance) => {
      const broken = { SCHEDULE_BOOK: { getByName: () => ({ wakeAt: () => Promise.reject(new Error("away")) }) } };
      const { env } = instance as unknown as { env: object };
      Object.assign(instance, { env: { ...env, ...broken }, envBefore: env });
    });
    await schedule(live);
    await expect.poll(() => rows(live, "SELECT attempts FROM owed_wake")).toEqual([{ attempts: 1 }]);
    await inside(live.stub, (_, instance) => {
      Object.assign(instance, { env: (instance as unknown as { envBefore: object }).envBefore });
    });
    advanceClock(MINUTE / 2);
    await live.stub.clockMoved();
    await bookTold(live);
    advanceClock(MINUTE);
    await tick();
    expect(await times(live)).toHaveLength(1);
  });

  it("has the environment's alarm set before the call is made: after a loss of the object nobody else comes", async () => {
    await inside(live.stub, (_, instance) => {
      const { env } = instance as unknown as { env: object };
      const silent = { SCHEDULE_BOOK: { getByName: () => ({ wakeAt: () => new Promise(() => {}) }) } };
      Object.assign(instance, { env: { ...env, ...silent } });
    });
    await schedule(live);
    const alarm = await inside(live.stub, ({ storage }) => storage.getAlarm());
    expect((alarm ?? Number.POSITIVE_INFINITY) - Date.now()).toBeLessThanOrEqual(5_000);
  });

  it("goes out again when the book takes it for older, because a clock was ahead and has gone back", async () => {
    await schedule(live, { cron: "0 0 1 1 *" });
    await bookTold(live);
    await book().wakeAt({ environmentId: live.id, at: null, version: 2 ** 52 });
    await schedule(live, EVERY_MINUTE, "other");
    await bookTold(live);
    for (const emitted of [1, 2]) {
      advanceClock(MINUTE);
      await tick();
      expect(await times(live)).toHaveLength(emitted);
    }
  });

  it("keeps the others waiting for one alarm only when thousands cannot be reached", async () => {
    const [lost, asked] = [2_100, [] as string[]];
    const stub = bindings.SCHEDULE_BOOK.getByName("book_of_the_lost");
    await stub.wakeAt({ environmentId: "well", at: 2, version: 1 });
    await runInDurableObject(stub, (instance, { storage }) => {
      const numbers = JSON.stringify(Array.from({ length: lost }, (_, number) => `lost_${number}`));
      storage.sql.exec("INSERT INTO environments SELECT value, 1, 1 FROM json_each(?)", numbers);
      const emitSchedules = async (id: string) => {
        asked.push(id);
        if (id !== "well") throw new Error("away");
        return { next: { at: null, version: 2 }, events: 1 };
      };
      const ENVIRONMENT = { getByName: (id: string) => ({ emitSchedules: () => emitSchedules(id) }) };
      Object.assign(instance, { env: { ...(instance as unknown as { env: object }).env, ENVIRONMENT } });
    });
    await stub.tick(now());
    await expect.poll(() => asked).toContain("well");
    expect(asked).toHaveLength(lost + 1);
    expect(new Set(asked).size).toBe(lost + 1);
  });
});

describe("the organization's schedules", () => {
  it("emit their event with their payload into every environment, for every workflow that listens", async () => {
    const host = await TestHost.listening(live.key, "on-digest", "digest.due");
    for (const environment of [live, development]) await tell(environment, 2, { schedules: [ofOrganization()] });
    const start = thisMinute();
    advanceClock(5 * MINUTE);
    await tick();
    expect((await host.offer()).input).toEqual({ a: 1 });
    for (const environment of [live, development]) {
      expect(await events(environment)).toMatchObject([
        {
          sender_id: `sch_1:${iso(start + 5 * MINUTE)}`,
          name: "digest.due",
          payload: '{"a":1}',
          context: JSON.stringify({
            schedule: { id: "sch_1", name: "digest", scheduledTime: iso(start + 5 * MINUTE) },
          }),
          is_test: 0,
        },
      ]);
    }
  });

  it("follow the clock of their time zone", async () => {
    await tell(live, 2, { schedules: [ofOrganization({ cron: "0 9 * * *", timezone: "Asia/Kolkata" })] });
    const [shown] = await list(live);
    expect(shown?.nextTimes).toHaveLength(5);
    for (const time of shown?.nextTimes ?? []) expect(time).toMatch(/T03:30:00\.000Z$/);
  });

  it("take a change, a switch or a deletion into account once the push is confirmed", async () => {
    await tell(live, 2, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    await tell(live, 3, { schedules: [ofOrganization({ cron: "* * * * *", payload: '{"a":2}' })] });
    advanceClock(MINUTE);
    await tick();
    await tell(live, 4, { schedules: [ofOrganization({ cron: "* * * * *", enabled: false })] });
    advanceClock(MINUTE);
    await tick();
    expect(await list(live)).toMatchObject([{ id: "sch_1", enabled: false, nextTimes: [] }]);
    await tell(live, 5, { schedules: [] });
    expect(await list(live)).toEqual([]);
    expect((await events(live)).map(({ payload }) => payload)).toEqual(['{"a":2}']);
  });

  it("stay due when they get another name or payload just then", async () => {
    await tell(live, 2, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    advanceClock(MINUTE);
    await tell(live, 3, { schedules: [ofOrganization({ cron: "* * * * *", name: "other", payload: '{"a":2}' })] });
    await tick();
    expect((await events(live)).map(({ payload }) => payload)).toEqual(['{"a":2}']);
    expect((await list(live))[0]?.name).toBe("other");
  });

  it("end with those of workflows when the environment is closed", async () => {
    await schedule(live);
    await tell(live, 2, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    await tell(live, 3, { keys: [], receives: { webhooks: false, schedules: false }, schedules: [] });
    advanceClock(MINUTE);
    await tick();
    expect(await events(live)).toEqual([]);
    await bookTold(live);
    expect(await knownTo(book(), live.id)).toEqual({ next_at: null });
  });

  it("emit although a sender has used their event's id for something else", async () => {
    await tell(live, 2, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    const id = `sch_1:${iso(thisMinute() + MINUTE)}`;
    await post(live.key, "/api/v1/events", { id, event: { name: "squatter", payload: {} } });
    advanceClock(MINUTE);
    await tick();
    await tick();
    expect((await events(live)).map(({ sender_id, name }) => [sender_id, name])).toEqual([
      [id, "squatter"],
      [null, "digest.due"],
    ]);
  });
});

describe("switches", () => {
  const switched = { webhooks: true, schedules: false };
  beforeEach(async () => {
    await schedule(live);
    await schedule(development);
    for (const each of [live, development]) {
      await tell(each, 2, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    }
    await bookTold(live, development);
  });

  it("stop all of development at once and leave live alone; missed times are not made up for", async () => {
    await tell(development, 3, { schedules: [ofOrganization({ cron: "* * * * *" })], receives: switched });
    advanceClock(MINUTE);
    await tick();
    expect(await events(development)).toEqual([]);
    expect(await events(live)).toHaveLength(2);
    expect((await list(development)).map(({ nextTimes }) => nextTimes)).toEqual([[], []]);

    advanceClock(10 * MINUTE);
    await tell(development, 4, { schedules: [ofOrganization({ cron: "* * * * *" })] });
    await tick();
    expect(await events(development)).toEqual([]);
    advanceClock(MINUTE);
    await tick();
    expect(await events(development)).toHaveLength(2);
  });

  it("stop a single schedule in a single environment", async () => {
    const changed = await development.stub.switchSchedule(MEMBER, `workflow:${SLUG}`, false);
    expect(changed).toMatchObject({ ok: true, value: { enabled: false, nextTimes: [] } });
    await bookTold(development);
    advanceClock(MINUTE);
    await tick();
    expect((await events(development)).map(({ name }) => name)).toEqual(["digest.due"]);
    expect(await events(live)).toHaveLength(2);

    await development.stub.switchSchedule(MEMBER, `workflow:${SLUG}`, true);
    await bookTold(development);
    advanceClock(MINUTE);
    await tick();
    expect(await events(development)).toHaveLength(3);
    expect(await development.stub.switchSchedule(MEMBER, "workflow:none", true)).toEqual({ ok: true, value: null });
  });
});

describe("tests", () => {
  it("fire a schedule now, as a test run with its payload, and leave its times alone", async () => {
    const { host } = await schedule(live);
    await bookTold(live);
    advanceClock(MINUTE);
    await tick();
    const first = iso(thisMinute());
    await host.offer();
    advanceClock(10_000);
    const fired = await live.stub.fireSchedule(MEMBER, `workflow:${SLUG}`);
    expect(fired).toMatchObject({ ok: true, value: { runs: [{ workflow: SLUG }] } });
    const { input, meta } = await host.offer();
    expect(input).toEqual({ scheduledTime: expect.stringMatching(/:01:1\d\.\d{3}Z$/), lastRunAt: first });
    expect(meta).toMatchObject({ isTest: true });
    expect((await list(live))[0]?.lastRunAt).toBe(first);
    expect(await live.stub.fireSchedule(MEMBER, "workflow:none")).toEqual({ ok: true, value: null });
  });

  it("start one workflow with a payload, whatever its filter says", async () => {
    const host = await TestHost.listening(live.key, "filtered", "go", { payload: { kind: ["never"] } });
    const other = await TestHost.listening(live.key, "unfiltered", "go");
    const test = { payload: '{"kind":"this"}', context: null, digest: new Uint8Array(16) };
    expect(await live.stub.testWorkflow(MEMBER, "filtered", test)).toMatchObject({
      ok: true,
      value: { event: { name: "go", runs: [{ workflow: "filtered" }] } },
    });
    const { input, meta } = await host.offer();
    expect([input, meta.isTest]).toEqual([{ kind: "this" }, true]);
    expect(other.received).toEqual([]);
    expect(await live.stub.testWorkflow(MEMBER, "none", test)).toEqual({ ok: true, value: "not found" });
    const large = { ...test, payload: JSON.stringify("x".repeat(2_000_000)) };
    expect(await live.stub.testWorkflow(MEMBER, "filtered", large)).toEqual({ ok: true, value: "too large" });
  });
});
