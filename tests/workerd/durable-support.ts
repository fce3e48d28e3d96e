// Shared by the tests of durable runs: a started run on a host, steps asked for and answered, a moved clock, and losses
// of every kind.
import { expect } from "vitest";
import type { Run } from "../../shared/api/runs.ts";
import {
  advanceClock,
  eventually,
  getJson,
  inside,
  makeEnvironment,
  post,
  type Received,
  registration,
  rows,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The workflow and the event of these tests. */
export const WORKFLOW = "w";
export const EVENT = "go";

/** A report of the reference client about its own call that the router did not answer within 5 s. */
export const UNANSWERED_CALL = {
  name: "Error",
  message: "",
  stackTrace: "Error\n    at Timeout._onTimeout (/app/node_modules/@trigger.dev/sdk/dist/index.js:1229:16)",
};

export const hostOf = (live: TestEnvironment, more: Record<string, unknown> = {}): Promise<TestHost> =>
  TestHost.listening(live.key, WORKFLOW, EVENT, more);

/** A host of a process that may come back: the id of its registering call is that of the process. */
export async function hostOfProcess(live: TestEnvironment, process: string): Promise<TestHost> {
  const host = await TestHost.connect(live.key);
  const announced = registration(WORKFLOW, EVENT, { event: [EVENT], payload: {} });
  expect(await host.call("INITIALIZE_HOST_V2", announced, process)).toMatchObject({ type: "success" });
  return host;
}

/** Takes the next run that is offered to a host and starts it. */
export async function startNext(host: TestHost): Promise<{ id: string; attempt: unknown }> {
  const { id, meta } = await host.offer();
  expect(await host.start(id)).toBe(true);
  return { id, attempt: meta.attempt };
}

/** Takes this many runs, one after the other, and does the same to each. Returns their ids in order. */
export async function takeAll(
  host: TestHost,
  count: number,
  work: (id: string) => Promise<unknown>,
): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const { id } = await startNext(host);
    await work(id);
    ids.push(id);
  }
  return ids;
}

/** An environment with one host, on which one run has started. */
export async function runningRun(): Promise<{ live: TestEnvironment; host: TestHost; id: string }> {
  const live = await makeEnvironment("live");
  const host = await hostOf(live);
  await send(live.key, EVENT);
  return { live, host, id: (await startNext(host)).id };
}

/** Posts this many events in one call and returns the ids of their runs, in order. */
export async function sendMany({ key }: TestEnvironment, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let left = count; left > 0; left -= 500) {
    const events = Array.from({ length: Math.min(500, left) }, (_, i) => ({ event: { name: EVENT, payload: i } }));
    const items = (await (await post(key, "/api/v1/events", events)).json()) as { runs: { id: string }[] }[];
    ids.push(...items.flatMap(({ runs }) => runs.map(({ id }) => id)));
  }
  return ids;
}

export const shown = (live: TestEnvironment, id: string): Promise<Run> => getJson<Run>(live.key, `/api/v1/runs/${id}`);

/** The types of a run's tasks, in order. */
export const taskTypes = async (live: TestEnvironment, id: string): Promise<string[]> =>
  (await shown(live, id)).tasks.map(({ type }) => type);

/** Moves the clock and runs all due work of the environment. */
export async function advance(live: TestEnvironment, ms: number): Promise<void> {
  advanceClock(ms);
  await live.stub.clockMoved();
}

/** The machine time an environment's alarm is set to, or null. */
export const alarmOf = ({ stub }: TestEnvironment): Promise<number | null> =>
  inside(stub, ({ storage }) => storage.getAlarm());

/** Waits until the router counts this many hosts of the workflow. */
export async function untilHosts(live: TestEnvironment, count: number): Promise<void> {
  await eventually(async () => {
    const { data } = await getJson<{ data: { hosts: unknown[] }[] }>(live.key, "/api/v1/workflows");
    expect(data[0]?.hosts).toHaveLength(count);
  });
}

/** Closes a host's socket and waits until the router has noticed. `left` is the number of hosts that remain. */
export async function lose(live: TestEnvironment, host: TestHost, left = 0): Promise<void> {
  host.socket.close(1000, "bye");
  await untilHosts(live, left);
}

/** Takes the next answer to a step from the messages of a host. */
export const answerTo = (host: TestHost, method: string, key?: string): Promise<Received> =>
  host.until((m) => m.methodName === method && (key === undefined || m.data.key === key));

/** Number of messages of this method that a host has received and a test has not taken. */
export const waiting = (host: TestHost, method: string): number =>
  host.received.filter(({ methodName }) => methodName === method).length;

/** All that an environment has stored: texts as they are, bytes as Latin-1, so that a secret is found in either. */
export function dump(live: TestEnvironment): Promise<string> {
  return inside(live.stub, ({ storage: { sql } }) => {
    const text = (value: SqlStorageValue): string =>
      value instanceof ArrayBuffer ? new TextDecoder("latin1").decode(value) : String(value);
    return sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) =>
        [...sql.exec(`SELECT * FROM "${name}"`).raw()].map((row) => row.map(text).join("|")).join("\n"),
      )
      .join("\n");
  });
}

/** Rows the object has written since it started, by SQLite's own count. */
export async function rowsWritten(live: TestEnvironment): Promise<number> {
  return (await rows<{ n: number }>(live, "SELECT total_changes() AS n"))[0]?.n ?? 0;
}
