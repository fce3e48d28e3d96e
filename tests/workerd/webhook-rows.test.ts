// What a delivery costs its source in rows written: an index entry is a row of its own, and so is setting an alarm.
import { expect, it } from "vitest";
import { eventually } from "./support.ts";
import { deliver, eventIds, insideSource, makeSource, type TestSource } from "./webhook-support.ts";

async function countRows(source: TestSource): Promise<() => Promise<number>> {
  const cursors: { rowsWritten: number }[] = [];
  let alarms = 0;
  await insideSource(source, ({ storage }) => {
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (<T extends Record<string, SqlStorageValue>>(query: string, ...values: unknown[]) => {
      const cursor = exec<T>(query, ...values);
      cursors.push(cursor);
      return cursor;
    }) as typeof storage.sql.exec;
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (...parameters) => {
      alarms++;
      return setAlarm(...parameters);
    };
  });
  return () => insideSource(source, () => cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, alarms));
}

it("a delivery that goes well is its row, its id, and what came of it; an alarm is shared", async () => {
  const source = await makeSource("acme", { verification: { scheme: "none" } });
  const written = await countRows(source);
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) await deliver(source, "{}", { "idempotency-key": crypto.randomUUID() });
  };
  await send(1);
  await eventually(async () => expect(await written()).toBeGreaterThanOrEqual(4));
  expect(await written()).toBeLessThanOrEqual(4);
  await send(9);
  await eventually(async () => {
    expect(await eventIds(source.development)).toHaveLength(10);
    expect(await written()).toBeGreaterThanOrEqual(31);
  });
  expect(await written()).toBeLessThanOrEqual(31);
});

it("a duplicate and a refused delivery write nothing", async () => {
  const source = await makeSource("acme", { verification: { scheme: "bearer" }, secrets: ["s"] });
  const headers = { authorization: "Bearer s", "idempotency-key": "k" };
  await deliver(source, "{}", headers);
  await eventually(async () => expect(await eventIds(source.live)).toHaveLength(1));
  await eventually(async () => {
    const delivered = await source.stub.listDeliveries({ limit: 1, cursor: null, status: "delivered" });
    expect(delivered).toMatchObject({ data: [{ status: "delivered" }] });
  });
  const written = await countRows(source);
  expect((await deliver(source, "{}", headers)).status).toBe(200);
  expect((await deliver(source, "{}", { authorization: "Bearer x" })).status).toBe(401);
  expect(await written()).toBe(0);
});
