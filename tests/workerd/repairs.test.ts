// The object Repairs: it acts only while there are tickets, waits longer after every failure, and forgets settled
// tickets. Without Postgres here every repair fails; workers/console/control/apply-change.test.ts shows a repair.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { bindings } from "./support.ts";

const fresh = () => bindings.REPAIRS.getByName(crypto.randomUUID());
const inspect = (stub: ReturnType<typeof fresh>) =>
  runInDurableObject(stub, async (_, { storage }) => ({
    alarm: await storage.getAlarm(),
    owed: storage.sql.exec("SELECT environment, attempts FROM owed ORDER BY environment").toArray(),
  }));

test("forgets a settled ticket, and then leaves no alarm", async () => {
  const stub = fresh();
  const before = Date.now();
  const [one, two] = [await stub.expect(["env_a", "env_b"]), await stub.expect(["env_a"])];
  const { alarm, owed } = await inspect(stub);
  expect(owed).toHaveLength(3);
  expect((alarm ?? 0) - before).toBeGreaterThanOrEqual(30_000);
  await stub.settle(one);
  expect(await inspect(stub)).toMatchObject({ alarm: expect.any(Number), owed: [{ environment: "env_a" }] });
  await stub.settle(two);
  expect(await inspect(stub)).toEqual({ alarm: null, owed: [] });
});

test("retries an unsettled ticket, each time after a longer wait", async () => {
  const stub = fresh();
  await stub.expect(["env_a"]);
  for (const attempts of [1, 2, 3]) {
    await runInDurableObject(stub, (_, { storage }) => storage.sql.exec("UPDATE owed SET due_at = 0").toArray());
    const before = Date.now();
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    const { alarm, owed } = await inspect(stub);
    expect(owed).toEqual([{ environment: "env_a", attempts }]);
    expect((alarm ?? 0) - before).toBeGreaterThanOrEqual(30_000 * 2 ** (attempts - 1));
  }
});

test("leaves alone what may not be committed yet when an alarm comes early", async () => {
  const stub = fresh();
  await stub.expect(["env_a"]);
  await runDurableObjectAlarm(stub);
  expect((await inspect(stub)).owed).toEqual([{ environment: "env_a", attempts: 0 }]);
});
