// Changes to runs and workflows by a person or a script.
import { afterEach, expect, it } from "vitest";
import { DEFAULT_TIME_TO_LIVE_MS } from "../../shared/kernel/limits.ts";
import { advance, hostOf, lose, shown, WORKFLOW } from "./durable-support.ts";
import { makeEnvironment, request, resetClock, send, withKey } from "./support.ts";

afterEach(resetClock);

it("leaves timed-out runs timed out when their workflow is deregistered", async () => {
  const live = await makeEnvironment("live");
  await hostOf(live).then((host) => lose(live, host));
  const {
    runs: [run],
  } = await send(live.key, "go");
  const id = run?.id ?? "";
  await advance(live, DEFAULT_TIME_TO_LIVE_MS);
  expect(await shown(live, id)).toMatchObject({ status: "TIMED_OUT" });
  const removed = await request(`/api/v1/workflows/${WORKFLOW}`, withKey(live.key, { method: "DELETE" }));
  expect(removed.status).toBe(204);
  expect(await shown(live, id)).toMatchObject({ status: "TIMED_OUT" });
});
