// Pages that watch an environment: they learn that something has changed, and nothing else. The last hour in numbers.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Activity } from "../../shared/api/activity.ts";
import { MEMBER, WATCH_PATH } from "../../shared/contracts/environment.ts";
import { hostOf, MINUTE, rowsWritten, runningRun, startNext } from "./durable-support.ts";
import {
  advanceClock,
  eventually,
  inside,
  makeEnvironment,
  resetClock,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

let live: TestEnvironment;
beforeEach(async () => {
  live = await makeEnvironment("live");
});
afterEach(resetClock);

interface Page {
  readonly socket: WebSocket;
  readonly received: string[];
  closed: number | null;
}

async function watch({ stub }: TestEnvironment): Promise<Page> {
  const response = await stub.fetch(`https://environment${WATCH_PATH}`, { headers: { upgrade: "websocket" } });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no upgrade: ${response.status}`);
  const page: Page = { socket, received: [], closed: null };
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    page.received.push(String(data));
  });
  socket.addEventListener("close", ({ code }) => {
    page.closed = code;
  });
  return page;
}

const activity = async ({ stub }: TestEnvironment): Promise<Activity> => {
  const answer = await stub.readActivity(MEMBER);
  if (!answer.ok) throw new Error(answer.refused);
  return answer.value;
};

describe("a page that watches", () => {
  it("hears of events, starts and ends, without any content", async () => {
    const page = await watch(live);
    const host = await hostOf(live);
    await eventually(() => expect(page.received.length).toBeGreaterThan(0));
    const before = page.received.length;
    await send(live.key, "go", { secret: "payload" });
    await eventually(() => expect(page.received.length).toBeGreaterThan(before));
    const { id } = await startNext(host);
    await host.complete(id, { secret: "output" });
    await eventually(() => expect(page.received.length).toBeGreaterThan(before + 1));
    expect(new Set(page.received)).toEqual(new Set(['{"type":"changed"}']));
  });

  it("gets one frame for many changes", async () => {
    const page = await watch(live);
    await Promise.all(Array.from({ length: 50 }, (_, i) => send(live.key, "go", i)));
    await eventually(() => expect(page.received.length).toBeGreaterThan(0));
    expect(page.received.length).toBeLessThan(5);
  });

  it("sees nothing of another environment", async () => {
    const other = await makeEnvironment("development");
    const page = await watch(other);
    const own = await watch(live);
    await send(live.key, "go");
    await eventually(() => expect(own.received).toHaveLength(1));
    expect(page.received).toEqual([]);
  });

  it("has its socket closed after five minutes, at the next change, to prove again that it may watch", async () => {
    const page = await watch(live);
    advanceClock(6 * MINUTE);
    await send(live.key, "go");
    await eventually(() => expect(page.closed).toBe(4000));
    expect(page.received).toEqual([]);
  });

  it("acts as no host: nobody hears its frames, and its end ends no run", async () => {
    const { live: environment, host, id } = await runningRun();
    const page = await watch(environment);
    page.socket.send(JSON.stringify({ type: "MESSAGE", id: "f1", data: "{}" }));
    page.socket.close(1000, "bye");
    await host.complete(id);
    expect((await activity(environment)).hosts).toBe(1);
  });

  it("costs no row, and the object keeps no timer while nothing changes", async () => {
    const before = await rowsWritten(live);
    const page = await watch(live);
    expect(await rowsWritten(live)).toBe(before);
    expect(page.received).toEqual([]);
    expect(await inside(live.stub, ({ storage }) => storage.getAlarm())).toBeNull();
  });
});

describe("the last hour in numbers", () => {
  it("counts sixty minutes, all empty at first", async () => {
    const empty = await activity(live);
    expect(empty).toMatchObject({ hosts: 0, workflows: 0, hasRuns: false, attention: [] });
    expect(empty.minutes).toHaveLength(60);
    expect(new Set(empty.minutes.map(({ events, runs, p50Ms }) => `${events} ${runs} ${p50Ms}`))).toEqual(
      new Set(["0 0 null"]),
    );
  });

  it("counts events, runs, failures and durations by the minute in which the run was made", async () => {
    const host = await hostOf(live);
    await send(live.key, "go");
    await send(live.key, "nobody listens");
    const { id } = await startNext(host);
    await host.complete(id);
    advanceClock(2 * MINUTE);
    await send(live.key, "go");
    const failing = await startNext(host);
    await host.call("SEND_WORKFLOW_ERROR", { runId: failing.id, error: { name: "Error", message: "no" } });
    await eventually(async () => {
      advanceClock(3_000);
      const counted = await activity(live);
      const made = counted.minutes.filter(({ events }) => events > 0);
      expect(made.map(({ events, runs, failures }) => [events, runs, failures])).toEqual([
        [2, 1, 0],
        [1, 1, 1],
      ]);
      for (const minute of made) expect(minute.p50Ms).toBeGreaterThanOrEqual(0);
      expect(counted).toMatchObject({ hosts: 1, workflows: 1, hasRuns: true });
      expect(counted.attention).toEqual([{ kind: "failing", workflow: "w", runs: 1 }]);
    });
  });

  it("names workflows whose runs wait for a host, and registrations that were refused", async () => {
    const host = await TestHost.listening(live.key, "gone", "go");
    host.socket.close(1000);
    const refused = await TestHost.connect(live.key);
    await refused.call("INITIALIZE_HOST_V2", { workflowId: "wrong" });
    await eventually(async () => {
      advanceClock(3_000);
      expect((await activity(live)).hosts).toBe(0);
    });
    await send(live.key, "go");
    await eventually(async () => {
      advanceClock(3_000);
      expect((await activity(live)).attention).toEqual([
        { kind: "refused", workflow: "wrong", runs: 0, message: expect.stringContaining("workflowName") },
        { kind: "no host", workflow: "gone", runs: 1 },
      ]);
    });
  });
});
