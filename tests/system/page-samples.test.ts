// The page's own samples in the reference client, unmodified, with both environments connected at once.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../../shared/api/runs.ts";
import { Connection, type EnvironmentName, type Router, startHost, startReference, startRouter } from "./support.ts";

let router: Router;
let live: Connection;
let development: Connection;

beforeAll(async () => {
  router = await startRouter();
  live = new Connection(router, "live");
  development = new Connection(router, "development");
});
afterAll(() => {
  live.close();
  development.close();
});

describe("the starter sample", () => {
  it("runs in the environment of TRIGGER_API_KEY", async () => {
    const host = await startHost(router, "live", "starter.ts");
    await send("live");
    const [made] = await live.runs();
    const run = await live.runWith(made?.id ?? "", "SUCCESS");
    expect(run).toMatchObject({
      workflow: { slug: "basic-starter", name: "Basic Starter" },
      event: { name: "basic.starter", payload: { id: "user_1234" } },
      tasks: [{ type: "LOG_MESSAGE", level: "INFO", message: "Hello world from inside trigger.dev" }],
    });
    expect(await live.runs()).toHaveLength(1);
    expect(await development.runs()).toEqual([]);
    await host.stop("SIGTERM");
    await live.hostsBecome("basic-starter", 0);
  });
});

describe("the sample that logs its environment, connected to both at once", () => {
  beforeAll(async () => {
    await startHost(router, "live", "environment.ts");
    await startHost(router, "development", "environment.ts");
  });

  it.each([
    { to: "development", says: "This is the development environment" },
    { to: "live", says: "This is the live environment" },
  ] as const)(
    "runs once in $to, and says so, when another process sends the event with that key",
    async ({ to, says }) => {
      const [here, there] = to === "live" ? [live, development] : [development, live];
      const before = { here: await here.runs(), there: await there.runs() };

      await send(to);

      const made = newRuns(before.here, await here.runs());
      expect(made).toHaveLength(1);
      const run = await here.runWith(made[0]?.id ?? "", "SUCCESS");
      expect(run).toMatchObject({
        environmentId: router.ready.environments[to].id,
        workflow: { slug: "basic-starter", name: "Basic Starter" },
        attempts: 1,
        event: { name: "basic.starter", payload: { id: "user_1234" } },
        tasks: [{ type: "LOG_MESSAGE", level: "INFO", message: says }],
      });
      expect(newRuns(before.here, await here.runs())).toHaveLength(1);
      expect(await there.runs()).toEqual(before.there);
    },
  );

  it("leaves runs that the key of the other environment cannot tell apart from none", async () => {
    const [liveRun] = await live.runs();
    const [developmentRun] = await development.runs();
    for (const [key, foreign] of [
      [development, liveRun],
      [live, developmentRun],
    ] as const) {
      const none = foreign?.id.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
      const answers = [
        await key.send("GET", `/api/v1/runs/${foreign?.id}`),
        await key.send("GET", `/api/v1/runs/${foreign?.id}.json`),
        await key.send("GET", `/api/v1/runs/${none}`),
        await key.send("GET", "/api/v1/runs/run_none"),
      ];
      for (const answer of answers) expect(answer).toEqual({ status: 404, body: '{"error":"Run not found"}' });
    }
  });
});

/** Runs the sample that sends an event to its end. */
async function send(to: EnvironmentName): Promise<void> {
  const sender = startReference(router, to, "send-event.ts");
  expect(await sender.ended(), sender.output).toEqual({ code: 0, signal: null });
}

function newRuns(before: readonly RunSummary[], after: readonly RunSummary[]): RunSummary[] {
  const known = new Set(before.map(({ id }) => id));
  return after.filter(({ id }) => !known.has(id));
}
