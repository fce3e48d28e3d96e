// INITIALIZE_HOST and INITIALIZE_HOST_V2: the answer, the stored part of a registration and the part that is never
// stored, the definition in force, and the fate of a refused registration.
import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { WorkflowDetails } from "../../shared/api/workflows.ts";
import { REGISTRATION_MAX_BYTES } from "../../shared/kernel/limits.ts";
import {
  getJson,
  inside,
  makeEnvironment,
  makeKey,
  pushKeys,
  registration,
  rows,
  send,
  type TestEnvironment,
  TestHost,
} from "./support.ts";

type Json = Record<string, unknown>;

const filterFor = (name: string, payload: Json = {}): Json => ({ event: [name], payload });
const starter = (more: Json = {}): Json => registration("starter", "basic", filterFor("basic"), more);

async function workflows({ key }: TestEnvironment): Promise<WorkflowDetails[]> {
  return (await getJson<{ data: WorkflowDetails[] }>(key, "/api/v1/workflows")).data;
}

/** Rows the object has written since it started, by SQLite's own count. */
async function changes(live: TestEnvironment): Promise<unknown> {
  return (await rows(live, "SELECT total_changes() AS n"))[0]?.n;
}

/** All stored data, as text. */
function dump(live: TestEnvironment): Promise<string> {
  return inside(live.stub, ({ storage: { sql } }) => {
    const names = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
    return names
      .filter(({ name }) => !name.startsWith("_cf_"))
      .map(({ name }) => JSON.stringify(sql.exec(`SELECT * FROM "${name}"`).toArray()))
      .join("\n");
  });
}

describe("a connection", () => {
  it("gets AUTHENTICATED before anything else", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    await host.call("INITIALIZE_HOST_V2", starter());
    expect(host.messages[0]).toBe("AUTHENTICATED");
    expect(host.messages.filter((message) => message === "AUTHENTICATED")).toHaveLength(1);
  });
});

describe("a registration", () => {
  it("returns the workflow, the environment, the organization, a page, and whether it is new", async () => {
    const live = await makeEnvironment("live");
    const expected = {
      type: "success",
      data: {
        workflow: { id: expect.any(String), slug: "starter" },
        environment: { id: live.id, slug: "live" },
        organization: { id: live.state.organization.id, slug: "acme" },
        isNew: true,
        url: "https://switchyard.test/orgs/acme/live/workflows/starter",
      },
    };
    const first = await TestHost.connect(live.key);
    expect(await first.call("INITIALIZE_HOST_V2", starter())).toEqual(expected);
    const second = await TestHost.connect(live.key);
    const again = { ...expected, data: { ...expected.data, isNew: false } };
    expect(await second.call("INITIALIZE_HOST_V2", starter())).toEqual(again);
  });

  it("gets an answer in the old form for the old form, and serves runs alike", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    expect(await host.call("INITIALIZE_HOST", starter())).toEqual({ type: "success" });
    await send(live.key, "basic");
    expect((await host.offer()).id).toMatch(/^run_/);
    expect(await host.call("INITIALIZE_HOST", starter({ trigger: null }))).toMatchObject({ type: "error" });
  });

  it("may repeat the key of its connection", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    expect(await host.call("INITIALIZE_HOST_V2", starter({ apiKey: live.key }))).toMatchObject({ type: "success" });
  });

  it("may be for webhooks and schedules, and shows them", async () => {
    const live = await makeEnvironment("live");
    const triggers: Record<string, Json> = {
      cron: { type: "SCHEDULE", service: "scheduler", name: "scheduled-event", source: { cron: "0 * * * *" } },
      rate: { type: "SCHEDULE", service: "scheduler", name: "scheduled-event", source: { rateOf: { minutes: 5 } } },
      webhook: {
        type: "WEBHOOK",
        service: "typeformcom",
        name: "form",
        filter: { service: ["typeformcom"], event: ["form"], payload: {} },
        source: { verifyPayload: { enabled: false }, event: "form" },
        manualRegistration: true,
        schema: { $schema: "x" },
      },
    };
    for (const [slug, trigger] of Object.entries(triggers)) {
      const host = await TestHost.connect(live.key);
      expect(await host.call("INITIALIZE_HOST_V2", registration(slug, "", {}, { trigger }))).toMatchObject({
        type: "success",
      });
    }
    const shown = await workflows(live);
    expect(shown.map(({ slug }) => slug)).toEqual(["cron", "rate", "webhook"]);
    for (const { slug, trigger } of shown) expect(trigger).toMatchObject(triggers[slug] ?? {});
  });

  it("shows its package, its hosts, and its time to live", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: 60, workflowName: "The starter" }));
    expect(await workflows(live)).toMatchObject([
      {
        slug: "starter",
        name: "The starter",
        version: 1,
        triggerTTL: 60,
        package: { package: { name: "@trigger.dev/sdk", version: "0.2.22" } },
        hosts: [{ keyId: live.keyId, running: 0, differs: [], refusedFrames: 0 }],
      },
    ]);
  });

  it("makes a workflow of its environment only", async () => {
    const live = await makeEnvironment("live");
    const development = await makeEnvironment("development");
    await TestHost.listening(live.key, "starter", "basic");
    const host = await TestHost.connect(development.key);
    expect(await host.call("INITIALIZE_HOST_V2", starter())).toMatchObject({
      type: "success",
      data: { isNew: true, environment: { id: development.id, slug: "development" } },
    });
    expect((await workflows(live))[0]?.hosts).toHaveLength(1);
  });
});

describe("the stored part of a registration", () => {
  it("leaves out the process's variables, the credentials of its repository, and the key", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    const metadata = {
      git: {
        sha: "abc123",
        branch: "main",
        commitMessage: "a message",
        origin: "https://user:t0ken-in-origin@github.com/acme/app.git?s=t0ken-in-query",
      },
      packageMetadata: { name: "app", version: "1.0.0" },
      env: { TRIGGER_API_KEY: live.key, TRIGGER_PASSWORD: "s3cr3t-of-the-process" },
    };
    await host.call("INITIALIZE_HOST_V2", starter({ apiKey: live.key, metadata }));
    await send(live.key, "basic", { id: 1 });
    const { id } = await host.offer();
    await host.start(id);
    await host.complete(id, 1);
    const stored = await dump(live);
    expect(stored).toContain("abc123");
    expect(stored).toContain("github.com/acme/app.git");
    for (const secret of ["t0ken", "s3cr3t", live.key, live.key.slice(-20)]) expect(stored).not.toContain(secret);
  });

  it.each([
    ["not a URL", "t0ken at nowhere"],
    ["an scp address with a password", "user:t0ken@github.com:acme/app.git"],
    ["a number", 5],
  ])("leaves out an origin that cannot be understood: %s", async (_what, origin) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    const answer = await host.call("INITIALIZE_HOST_V2", starter({ metadata: { git: { sha: "abc123", origin } } }));
    expect(answer).toMatchObject({ type: "success" });
    expect(await dump(live)).not.toContain("t0ken");
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a string", "x"],
    ["a list", []],
    ["odd inside", { git: 5, env: "x" }],
  ])("accepts any metadata: %s", async (_what, metadata) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    expect(await host.call("INITIALIZE_HOST_V2", starter({ metadata }))).toMatchObject({ type: "success" });
  });
});

describe("an identical registration", () => {
  it("writes no row, over a new connection or over the same", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: 60 }));
    const before = await changes(live);
    await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: 60 }));
    const other = await TestHost.connect(live.key);
    await other.call("INITIALIZE_HOST_V2", starter({ triggerTTL: 60, metadata: { env: { TRIGGER_X: "1" } } }));
    expect(await changes(live)).toBe(before);
    await other.call("INITIALIZE_HOST_V2", starter({ triggerTTL: 61 }));
    expect(await changes(live)).not.toBe(before);
  });
});

describe("two definitions of a workflow", () => {
  const register = async (live: TestEnvironment, event: string, process: string): Promise<TestHost> => {
    const host = await TestHost.connect(live.key);
    const answer = await host.call("INITIALIZE_HOST_V2", registration("starter", event, filterFor(event)), process);
    expect(answer).toMatchObject({ type: "success" });
    return host;
  };
  const differs = async (live: TestEnvironment) => (await workflows(live))[0]?.hosts.map((host) => host.differs);

  it("follow the newest, and the host of the older one is served and shown to differ", async () => {
    const live = await makeEnvironment("live");
    const older = await register(live, "old", "process-1");
    const newer = await register(live, "new", "process-2");
    expect((await send(live.key, "old")).runs).toEqual([]);
    expect((await send(live.key, "new")).runs).toHaveLength(1);
    expect((await send(live.key, "new")).runs).toHaveLength(1);
    await Promise.all([older.offer(), newer.offer()]);
    expect(await workflows(live)).toMatchObject([{ version: 2, trigger: { name: "new" } }]);
    expect(await differs(live)).toEqual([["event", "filter"], []]);
  });

  it("stay with the newer when the older's process comes back, even after an eviction", async () => {
    const live = await makeEnvironment("live");
    const older = await register(live, "old", "process-1");
    await register(live, "new", "process-2");
    older.socket.close(1000, "reconnecting");
    await older.closure();
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    const back = await register(live, "old", "process-1");
    expect(await workflows(live)).toMatchObject([{ version: 2, trigger: { name: "new" } }]);
    expect((await differs(live))?.sort()).toEqual([[], ["event", "filter"]]);
    const runs = [await send(live.key, "new"), await send(live.key, "new")];
    expect(runs.flatMap((accepted) => accepted.runs)).toHaveLength(2);
    expect((await back.offer()).id).toMatch(/^run_/);
  });

  it("follow the older again when a new process registers it", async () => {
    const live = await makeEnvironment("live");
    await register(live, "old", "process-1");
    await register(live, "new", "process-2");
    await register(live, "old", "process-3");
    expect((await send(live.key, "old")).runs).toHaveLength(1);
    expect((await send(live.key, "new")).runs).toEqual([]);
    expect(await workflows(live)).toMatchObject([{ version: 3, trigger: { name: "old" } }]);
  });

  it("keep their hosts apart after a hibernation", async () => {
    const live = await makeEnvironment("live");
    await register(live, "old", "process-1");
    await register(live, "new", "process-2");
    await evictDurableObject(live.stub, { webSockets: "hibernate" });
    expect((await differs(live))?.sort()).toEqual([[], ["event", "filter"]]);
  });
});

describe("a refused registration", () => {
  const trigger = (changed: Json): Json => ({ trigger: { ...(starter().trigger as Json), ...changed } });
  let deep: unknown = ["x"];
  for (let i = 0; i < 40; i++) deep = { deep };

  it.each<[string, unknown, string]>([
    ["for Slack interactions", starter(trigger({ type: "SLACK_INTERACTION" })), "not supported"],
    ["for HTTP endpoints", starter(trigger({ type: "HTTP_ENDPOINT" })), "not supported"],
    ["for a type that never was", starter(trigger({ type: "__proto__" })), "not supported"],
    ["without a type", starter(trigger({ type: undefined })), "trigger"],
    ["without a trigger", starter({ trigger: undefined }), "trigger"],
    ["with a trigger that is a string", starter({ trigger: "CUSTOM_EVENT" }), "trigger"],
    ["without an event's name", starter(trigger({ name: "" })), "trigger.name"],
    ["for another service's custom event", starter(trigger({ service: "slack" })), "trigger.service"],
    ["with a filter that is a list", starter(trigger({ filter: [] })), "trigger.filter"],
    ["with a scalar as a pattern", starter(trigger({ filter: { event: ["basic"], payload: { a: 5 } } })), "filter"],
    ["with an operator that there is not", starter(trigger({ filter: { payload: { a: [{ $near: 5 }] } } })), "filter"],
    ["with a filter that is too deep", starter(trigger({ filter: { payload: deep } })), "filter"],
    ["with another key", starter({ apiKey: "trigger_live_another" }), "apiKey"],
    ["with a time to live of nothing", starter({ triggerTTL: 0 }), "triggerTTL"],
    ["with a negative time to live", starter({ triggerTTL: -1 }), "triggerTTL"],
    ["with a time to live that is text", starter({ triggerTTL: "60" }), "triggerTTL"],
    ["without a package", starter({ packageName: undefined }), "packageName"],
    ["that is too large", starter(trigger({ schema: { description: "x".repeat(REGISTRATION_MAX_BYTES) } })), "larger"],
    [
      "of a schedule without a rate",
      starter({ trigger: { type: "SCHEDULE", service: "scheduler", name: "scheduled-event", source: {} } }),
      "trigger.source",
    ],
    [
      "of a schedule every zero minutes",
      starter({
        trigger: {
          type: "SCHEDULE",
          service: "scheduler",
          name: "scheduled-event",
          source: { rateOf: { minutes: 0 } },
        },
      }),
      "trigger.source",
    ],
  ])("keeps its socket, and is shown: %s", async (_what, announced, message) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    const answer = await host.call("INITIALIZE_HOST_V2", announced);
    expect(answer).toEqual({ type: "error", message: expect.stringContaining(message) });
    expect((await send(live.key, "basic")).runs).toEqual([]);
    expect(await workflows(live)).toMatchObject([
      {
        slug: "starter",
        version: null,
        hosts: [],
        refused: {
          message: (answer as { message: string }).message,
          keyId: live.keyId,
          at: expect.stringMatching(/^\d{4}-/),
        },
      },
    ]);
    // The client is neither closed nor lost: it may register properly over the same socket.
    expect(await host.call("INITIALIZE_HOST_V2", starter())).toMatchObject({ type: "success" });
    const [workflow] = await workflows(live);
    expect(workflow?.hosts).toHaveLength(1);
    expect(workflow?.refused).toBeUndefined();
    expect(host.closed).toBe(null);
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a list", [starter()]],
    ["text", "starter"],
    ["an id of another type", starter({ workflowId: 5 })],
    ["an empty id", starter({ workflowId: "" })],
    ["an id that is too long", starter({ workflowId: "x".repeat(257) })],
  ])("keeps its socket when it does not name a workflow: %s", async (_what, announced) => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    expect(await host.call("INITIALIZE_HOST_V2", announced)).toEqual({ type: "error", message: expect.any(String) });
    expect((await workflows(live)).map(({ version, refused }) => [version, refused?.message !== undefined])).toEqual([
      [null, true],
    ]);
    expect(await host.call("INITIALIZE_HOST_V2", starter())).toMatchObject({ type: "success" });
  });

  it("leaves the definition in force, with its host", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.listening(live.key, "starter", "basic");
    const other = await TestHost.connect(live.key);
    await other.call("INITIALIZE_HOST_V2", starter(trigger({ type: "HTTP_ENDPOINT" })));
    await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: -1 }));
    await send(live.key, "basic");
    expect((await host.offer()).id).toMatch(/^run_/);
    expect(await workflows(live)).toMatchObject([
      { version: 1, hosts: [{}], refused: { message: expect.stringContaining("triggerTTL") } },
    ]);
  });

  it("writes nothing more when it is repeated unchanged", async () => {
    const live = await makeEnvironment("live");
    const host = await TestHost.connect(live.key);
    await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: -1 }));
    const before = await changes(live);
    for (let i = 0; i < 5; i++) await host.call("INITIALIZE_HOST_V2", starter({ triggerTTL: -1 }));
    expect(await changes(live)).toBe(before);
  });

  it("echoes nothing in its message but the name of a field", async () => {
    const live = await makeEnvironment("live");
    const other = await makeKey(live);
    await pushKeys(live, 2, [{ id: live.keyId }, { id: other.id }]);
    const host = await TestHost.connect(live.key);
    for (const announced of [
      starter({ apiKey: other.key }),
      starter({ packageName: { s3cr3t: other.key } }),
      starter(trigger({ type: "s3cr3t" })),
    ]) {
      const answer = JSON.stringify(await host.call("INITIALIZE_HOST_V2", announced));
      expect(answer).toContain("error");
      expect(answer).not.toContain("s3cr3t");
      expect(answer).not.toContain(other.key);
    }
    expect(await dump(live)).not.toContain(other.key);
  });
});
