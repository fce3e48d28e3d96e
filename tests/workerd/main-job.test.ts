// The main job: an event posted with a key runs the workflows of that key's environment, and no others.
import { describe, expect, it } from "vitest";
import { getJson, makeEnvironment, post, request, TestHost, withKey } from "./support.ts";

describe("an event posted with a key", () => {
  it("runs the workflow that is connected with a key of the same environment", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "basic.starter");
    const response = await post(live.key, "/api/v1/events", {
      id: "e1",
      event: { name: "basic.starter", payload: { id: "u1" } },
    });
    expect(response.status).toBe(200);
    const accepted = (await response.json()) as { id: string; runs: { id: string; workflow: string }[] };
    expect(accepted).toMatchObject({ id: "e1", name: "basic.starter", runs: [{ workflow: "starter" }] });

    const offer = await host.offer();
    expect(offer).toMatchObject({
      id: accepted.runs[0]?.id,
      input: { id: "u1" },
      meta: { environment: "live", apiKey: live.key, attempt: 0 },
    });
    expect(await host.start(offer.id)).toBe(true);
    expect(await getJson(live.key, `/api/v1/runs/${offer.id}`)).toMatchObject({ status: "RUNNING", attempts: 1 });
    await host.call("SEND_LOG", {
      runId: offer.id,
      key: "hello",
      log: { level: "INFO", message: "hello", properties: '{"a":1}' },
      timestamp: "1",
    });
    expect(await host.complete(offer.id, { done: true })).toBe(true);

    expect(await getJson(live.key, `/api/v1/runs/${offer.id}`)).toMatchObject({
      status: "SUCCESS",
      output: { done: true },
      attempts: 1,
      event: { id: "e1", name: "basic.starter", payload: { id: "u1" } },
      tasks: [{ type: "LOG_MESSAGE", level: "INFO", message: "hello", properties: { a: 1 } }],
    });
  });

  it("reaches no host of the other environment, where its run looks like one that does not exist", async () => {
    const live = await makeEnvironment("live");
    const development = await makeEnvironment("development");
    const liveHost = await TestHost.listening(live.key, "starter", "basic.starter");
    const developmentHost = await TestHost.listening(development.key, "starter", "basic.starter");
    await post(development.key, "/api/v1/events", { id: "e1", event: { name: "basic.starter", payload: {} } });
    const offer = await developmentHost.offer();
    await developmentHost.start(offer.id);
    await developmentHost.complete(offer.id, 1);
    expect(liveHost.offersWaiting()).toBe(0);
    expect(await getJson(live.key, "/api/v1/runs")).toEqual({ data: [], next: null });

    const foreign = await request(`/api/v1/runs/${offer.id}`, withKey(live.key));
    const missing = await request("/api/v1/runs/run_none", withKey(live.key));
    expect(foreign.status).toBe(404);
    expect(await foreign.text()).toBe(await missing.text());
  });
});
