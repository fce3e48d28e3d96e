// From a source into its environments: each gets its copy once, whatever happens to the other, to the calls, or to the
// source itself in between.
import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { DELIVERY_KEPT_MS } from "../../shared/kernel/limits.ts";
import { RETRY_WAITS_MS } from "../../workers/webhook/source/retry-times.ts";
import { advanceClock, bindings, eventually, resetClock } from "./support.ts";
import {
  breakEnvironment,
  deliver,
  deliveryRows,
  eventIds,
  fireAlarm,
  insideSource,
  makeSource,
  type TestSource,
} from "./webhook-support.ts";

afterEach(resetClock);

const open = () => makeSource();
const idOf = async (answer: Response) => ((await answer.json()) as { id: string }).id;
const copies = async (source: TestSource, id: string) =>
  Object.fromEntries(
    ((await source.stub.readDelivery(id))?.copies ?? []).map((copy) => [
      copy.number === 0 ? copy.environment.slug : `${copy.environment.slug} ${copy.number}`,
      copy,
    ]),
  );
const status = async (source: TestSource, id: string) => (await source.stub.readDelivery(id))?.status;

describe("an environment that fails", () => {
  it("gets its copy once when it is back, and the other has it long before", async () => {
    const source = await open();
    const mend = await breakEnvironment(source.live);
    const id = await idOf(await deliver(source, "{}"));
    await eventually(async () => expect(await eventIds(source.development)).toEqual([id]));
    await eventually(async () => expect((await copies(source, id)).live?.attempts).toBe(1));
    expect(await copies(source, id)).toMatchObject({
      live: { state: "pending", attempts: 1, dueAt: expect.any(Number) },
      development: { state: "accepted", attempts: 1, dueAt: null },
    });
    await mend();
    advanceClock(6_000);
    expect(await fireAlarm(source)).toBe(true);
    expect(await eventIds(source.live)).toEqual([id]);
    expect(await eventIds(source.development)).toEqual([id]);
    expect(await status(source, id)).toBe("delivered");
  });

  it("is asked again for a day, then the copy is parked and shown, and can be redelivered as itself", async () => {
    const source = await open();
    const mend = await breakEnvironment(source.live);
    const id = await idOf(await deliver(source, "{}"));
    for (let failed = 1; failed <= RETRY_WAITS_MS.length; failed++) {
      await eventually(async () => expect((await copies(source, id)).live?.attempts).toBe(failed));
      expect(await status(source, id)).toBe("pending");
      advanceClock((RETRY_WAITS_MS[failed - 1] ?? 0) * 1.2);
      await fireAlarm(source);
    }
    expect(await copies(source, id)).toMatchObject({ live: { state: "parked", dueAt: null } });
    expect(await source.stub.listDeliveries({ limit: 10, cursor: null, status: "parked" })).toMatchObject({
      data: [{ id, status: "parked" }],
    });
    await mend();
    expect(await source.stub.redeliver({ id }, ["live"])).toEqual({ ids: [id], exhausted: [], next: null });
    await fireAlarm(source);
    await eventually(async () => expect(await eventIds(source.live)).toEqual([id]));
    expect(await eventIds(source.development)).toEqual([id]);
  });

  it("that took the delivery but whose answer was lost has it once", async () => {
    const source = await open();
    let lost = 0;
    const id = await idOf(await deliver(source, "{}"));
    await eventually(async () => expect(await eventIds(source.live)).toEqual([id]));
    // As the row is when neither call came back.
    await insideSource(source, ({ storage }) => {
      const [row] = storage.sql.exec<{ copies: string }>("SELECT copies FROM deliveries").toArray();
      const back = JSON.stringify(
        (JSON.parse(row?.copies ?? "[]") as object[]).map((copy) => {
          lost++;
          return { ...copy, state: "pending", attempts: 1, dueAt: 1 };
        }),
      );
      storage.sql.exec("UPDATE deliveries SET copies = ?, status = 'pending', due_at = 1", back);
    });
    expect(lost).toBe(2);
    await fireAlarm(source);
    await eventually(async () => expect(await status(source, id)).toBe("delivered"));
    expect([await eventIds(source.live), await eventIds(source.development)]).toEqual([[id], [id]]);
  });
});

describe("a source that is lost", () => {
  it("after it stored a delivery hands it over when it is back", async () => {
    const source = await open();
    const mends = [await breakEnvironment(source.live), await breakEnvironment(source.development)];
    const id = await idOf(await deliver(source, "{}"));
    await eventually(async () => expect(await status(source, id)).toBe("pending"));
    await eventually(async () => expect((await copies(source, id)).live?.attempts).toBe(1));
    // As the row is before the first try has come back.
    await insideSource(source, ({ storage }) => {
      const first = JSON.stringify(
        [source.live, source.development].map(({ id: environment, slug }) => ({
          environment: { id: environment, slug },
          number: 0,
          state: "pending",
          attempts: 0,
          dueAt: 1,
        })),
      );
      storage.sql.exec("UPDATE deliveries SET copies = ?, due_at = NULL", first);
    });
    for (const mend of mends) await mend();
    await evictDurableObject(source.stub);
    await eventually(async () => expect(await status(source, id)).toBe("delivered"));
    expect([await eventIds(source.live), await eventIds(source.development)]).toEqual([[id], [id]]);
  });

  it("is woken by its alarm within a minute while something is under way", async () => {
    const source = await open();
    const before = Date.now();
    await deliver(source, "{}");
    const alarm = await insideSource(source, ({ storage }) => storage.getAlarm());
    expect((alarm ?? 0) - before).toBeGreaterThan(0);
    expect((alarm ?? 0) - before).toBeLessThanOrEqual(61_000);
  });
});

describe("an environment that answers for good", () => {
  it.each(["not received", "gone", "conflict"] as const)("(%s) is not asked again, and it is shown", async (state) => {
    const source = await open();
    const { stub, state: pushed } = source.live;
    if (state === "not received")
      await stub.provision({ ...pushed, revision: 2, receives: { webhooks: false, schedules: true } });
    if (state === "gone") await stub.deprovision();
    const id = await idOf(await deliver(source, "{}"));
    if (state === "conflict") {
      await eventually(async () => expect(await status(source, id)).toBe("delivered"));
      await insideSource(source, ({ storage }) =>
        storage.sql.exec(
          "UPDATE deliveries SET digest = x'00', status = 'pending', due_at = 1, copies = replace(replace(copies, 'accepted', 'pending'), '\"dueAt\":null', '\"dueAt\":1')",
        ),
      );
      await fireAlarm(source);
    }
    await eventually(async () => expect(await status(source, id)).toBe("refused"));
    expect((await copies(source, id)).live).toMatchObject({ state, dueAt: null });
  });
});

describe("a redelivery", () => {
  it("is an event of its own, in the environments that were named", async () => {
    const source = await open();
    const id = await idOf(await deliver(source, "{}"));
    await eventually(async () => expect(await status(source, id)).toBe("delivered"));
    await source.stub.redeliver({ id }, ["development"]);
    await fireAlarm(source);
    await eventually(async () => expect(await eventIds(source.development)).toEqual([id, `${id}_1`]));
    expect(await eventIds(source.live)).toEqual([id]);
    await source.stub.redeliver({ id }, null);
    await fireAlarm(source);
    await eventually(async () => expect(await eventIds(source.development)).toEqual([id, `${id}_1`, `${id}_2`]));
    await eventually(async () => expect(await eventIds(source.live)).toEqual([id, `${id}_2`]));
  });

  it("of a set takes those of the status and the time", async () => {
    const source = await open();
    const ids: string[] = [];
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(await idOf(await deliver(source, String(i))));
      times.push((await source.stub.readDelivery(ids[i] ?? ""))?.receivedAt ?? 0);
      advanceClock(1_000);
    }
    for (const id of ids) await eventually(async () => expect(await status(source, id)).toBe("delivered"));
    const choice = { status: null, from: null, until: null, cursor: null };
    const redeliver = (change: object) => source.stub.redeliver({ ...choice, ...change }, ["live"]);
    expect(await redeliver({ status: "parked" })).toEqual({ ids: [], exhausted: [], next: null });
    expect(await redeliver({ from: times[1] })).toEqual({ ids: ids.slice(1), exhausted: [], next: null });
    expect(await redeliver({ until: times[1] })).toEqual({ ids: ids.slice(0, 1), exhausted: [], next: null });
    expect(await source.stub.redeliver({ id: "dlv_none" }, null)).toBeNull();
  });
});

describe("deliveries", () => {
  it("are deleted after 7 days, and then their ids are new again", async () => {
    const source = await open();
    const first = await idOf(await deliver(source, "{}", { "idempotency-key": "k" }));
    await eventually(async () => expect(await status(source, first)).toBe("delivered"));
    advanceClock(DELIVERY_KEPT_MS - 60_000);
    expect(await idOf(await deliver(source, "{}", { "idempotency-key": "k" }))).toBe(first);
    advanceClock(120_000);
    await fireAlarm(source);
    expect(await deliveryRows(source)).toEqual([]);
    expect(await idOf(await deliver(source, "{}", { "idempotency-key": "k" }))).not.toBe(first);
  });

  it("are shown by pages, the newest first", async () => {
    const source = await open();
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await idOf(await deliver(source, String(i))));
    const shown: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await source.stub.listDeliveries({ limit: 2, cursor, status: null });
      if (page === "no such cursor") throw new Error(page);
      shown.push(...page.data.map(({ id }) => id));
      cursor = page.next;
      if (cursor === null) break;
    }
    expect(shown).toEqual(ids);
    expect(await source.stub.listDeliveries({ limit: 2, cursor: "dlv_x", status: null })).toBe("no such cursor");
  });
});

describe("the environments of a source", () => {
  const place = (source: TestSource, revision: number, environment: { id: string; slug: string }, receives: boolean) =>
    bindings.SOURCE_BOOK.getByName(source.organizationId).place({
      organizationId: source.organizationId,
      environment: { id: environment.id, slug: environment.slug },
      revision,
      receivesWebhooks: receives,
    });
  const slugs = async (source: TestSource) =>
    (await source.stub.describe())?.environments.map(({ slug }) => slug).sort();

  it("follow what the control plane says, also when it comes twice or out of order", async () => {
    const source = await open();
    expect(await slugs(source)).toEqual(["development", "live"]);
    await place(source, 3, source.live, false);
    expect(await slugs(source)).toEqual(["development"]);
    await place(source, 2, source.live, true);
    expect(await slugs(source)).toEqual(["development"]);
    await place(source, 4, source.live, true);
    expect(await slugs(source)).toEqual(["development", "live"]);
    await source.stub.setEnvironments({ version: 1, environments: [] });
    expect(await slugs(source)).toEqual(["development", "live"]);
  });

  it("go with the organization, and the source with the last of them, for good", async () => {
    const source = await open();
    const book = bindings.SOURCE_BOOK.getByName(source.organizationId);
    await book.displace(source.live.id);
    expect(await slugs(source)).toEqual(["development"]);
    await book.displace(source.development.id);
    expect(await source.stub.describe()).toBeNull();
    expect((await deliver(source, "{}")).status).toBe(404);
    const again = {
      organizationId: source.organizationId,
      service: "acme",
      verification: { scheme: "none" } as const,
      secrets: [],
    };
    expect(await source.stub.create(again)).toBe("deleted");
  });
});
