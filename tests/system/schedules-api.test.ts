// Schedules through the management API: made, changed, switched, fired, deleted; and test runs.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ControlPlane, DATABASE, makeOrganization, startControlPlane } from "./control-plane.ts";

const ORG = "/api/v1/organizations/acme";
const SCHEDULES = `${ORG}/schedules`;
const LIVE = `${ORG}/environments/live`;
const DAILY = { name: "daily digest", cron: "0 9 * * MON-FRI", timezone: "Europe/Berlin", event: "digest.due" };

let plane: ControlPlane;
let owner: string;
beforeAll(async () => {
  plane = await startControlPlane();
  ({ owner } = await makeOrganization(plane, "acme"));
});
afterAll(() => plane.stop());

const ask = (method: string, path: string, body?: unknown) => plane.ask(method, path, { as: owner, body });
const must = async (method: string, path: string, body?: unknown) =>
  (await plane.must(method, path, { as: owner, body })).body;
const here = async (env: string) => (await must("GET", `${ORG}/environments/${env}/schedules`)).data;

/** A host that has registered a workflow for an event; ends with the test. */
async function registered(workflow: string, event: string): Promise<WebSocket> {
  const key = (await must("GET", `${LIVE}/keys`)).data[0].id;
  const text = (await must("POST", `${LIVE}/keys/${key}/show`)).key;
  const socket = new WebSocket(`${plane.url.replace("http", "ws")}/ws`, {
    headers: { authorization: `Bearer ${text}` },
  });
  await new Promise((resolve, reject) => socket.once("message", resolve).once("error", reject));
  const data = {
    workflowId: workflow,
    workflowName: workflow,
    trigger: { type: "CUSTOM_EVENT", service: "trigger", name: event, filter: { event: [event] } },
    packageName: "@trigger.dev/sdk",
    packageVersion: "0.2.22",
  };
  const call = { id: "c1", kind: "CALL", methodName: "INITIALIZE_HOST_V2", data };
  const answered = new Promise((resolve) =>
    socket.on("message", (frame) => String(frame).includes("RESPONSE") && resolve(null)),
  );
  socket.send(JSON.stringify({ type: "MESSAGE", id: "f1", data: JSON.stringify(call) }));
  await answered;
  return socket;
}

describe(`the organization's schedules, on ${DATABASE}`, () => {
  it("are in every environment once they are answered, with their next times", async () => {
    const made = await must("POST", SCHEDULES, { ...DAILY, payload: { to: "\u0000\ud800" } });
    expect(made).toMatchObject({ ...DAILY, payload: { to: "\u0000\ud800" }, enabled: true });
    expect(made.id).toMatch(/^sch_\w{14}$/);
    expect(made.nextTimes).toHaveLength(5);
    for (const env of ["live", "development"]) {
      expect(await here(env)).toEqual([
        expect.objectContaining({ id: made.id, name: DAILY.name, workflow: null, enabled: true, lastRunAt: null }),
      ]);
    }
    expect(await must("GET", `${SCHEDULES}/${made.id}`)).toEqual(made);
    expect((await must("GET", SCHEDULES)).data).toEqual([made]);
    const later = await must("POST", `${ORG}/environments`, {
      slug: "staging",
      receivesWebhooks: true,
      receivesSchedules: true,
    });
    expect(later.slug).toBe("staging");
    expect((await here("staging")).map(({ id }: { id: string }) => id)).toEqual([made.id]);
  });

  it("change, are switched off and deleted everywhere", async () => {
    const [{ id }] = (await must("GET", SCHEDULES)).data;
    const changed = await must("PATCH", `${SCHEDULES}/${id}`, { cron: "*/10 * * * *", timezone: "UTC" });
    expect(changed).toMatchObject({ cron: "*/10 * * * *", event: DAILY.event });
    expect((await here("live"))[0]).toMatchObject({ cron: "*/10 * * * *", timezone: "UTC" });
    await must("PATCH", `${SCHEDULES}/${id}`, { enabled: false });
    expect((await here("development"))[0]).toMatchObject({ enabled: false, nextTimes: [] });
    await must("DELETE", `${SCHEDULES}/${id}`);
    expect(await here("live")).toEqual([]);
    const gone = await ask("GET", `${SCHEDULES}/${id}`);
    expect([gone.status, gone.body]).toEqual([404, { error: "There is no such schedule." }]);
  });

  it.each([
    [{ cron: "61 * * * *" }, "cron", 'the minute "61" cannot be used'],
    [{ cron: "0 0 30 2 *" }, "cron", "never comes"],
    [{ cron: "@daily" }, "cron", "has 1 field"],
    [{ timezone: "Mars/Olympus" }, "timezone", "no such time zone"],
    [{ event: "" }, "event", "1 to 256 characters"],
    [{ event: "a\u0000b" }, "event", "printable"],
    [{ name: " " }, "name", "1 to 100 characters"],
    [{ name: "a\u0000b" }, "name", "printable"],
    [{ payload: "x".repeat(40_000) }, "payload", "bytes of JSON at most"],
    [{ color: "red" }, "(body)", "color"],
  ])("are refused with %j, and the field is named", async (part, path, message) => {
    const before = (await must("GET", SCHEDULES)).data;
    const refused = await ask("POST", SCHEDULES, { ...DAILY, ...part });
    expect(refused.status).toBe(422);
    expect(refused.body.fields).toEqual([{ path, message: expect.stringContaining(message) }]);
    expect((await must("GET", SCHEDULES)).data).toEqual(before);
  });

  it("are refused with a payload that is nested so deep that a list of them could not be written", async () => {
    const text = JSON.stringify({ ...DAILY, payload: "deep" });
    const refused = await ask("POST", SCHEDULES, text.replace('"deep"', `${"[".repeat(9_000)}${"]".repeat(9_000)}`));
    expect([refused.status, refused.body.fields]).toEqual([
      422,
      [{ path: "payload", message: "a payload is nested at most 512 deep" }],
    ]);
  });

  it("have names of their own", async () => {
    await must("POST", SCHEDULES, { ...DAILY, name: "one" });
    const { id } = await must("POST", SCHEDULES, { ...DAILY, name: "two" });
    const taken = await ask("POST", SCHEDULES, { ...DAILY, name: "one" });
    expect([taken.status, taken.body.error]).toEqual([409, expect.stringContaining("of this name")]);
    expect((await ask("PATCH", `${SCHEDULES}/${id}`, { name: "one" })).status).toBe(409);
    expect((await ask("PATCH", `${SCHEDULES}/${id}`, {})).status).toBe(422);
  });

  it("reach an environment that is added at the same moment", async () => {
    const letters = ["a", "b", "c", "d"];
    const added = await Promise.all(
      letters.flatMap((letter) => [
        must("POST", SCHEDULES, { ...DAILY, name: `meanwhile ${letter}` }),
        must("POST", `${ORG}/environments`, { slug: letter, receivesWebhooks: true, receivesSchedules: true }),
      ]),
    );
    const names = letters.map((letter) => `meanwhile ${letter}`);
    for (const letter of letters) {
      await expect
        .poll(async () => (await here(letter)).map(({ name }: { name: string }) => name), { timeout: 10_000 })
        .toEqual(expect.arrayContaining(names));
    }
    for (const { id, slug } of added) {
      await must("DELETE", slug === undefined ? `${SCHEDULES}/${id}` : `${ORG}/environments/${slug}`);
    }
  });

  it("at their largest, beside many keys, do not keep a key from being revoked", async () => {
    const { id: organization } = await must("GET", ORG);
    const { id: environment } = await must("GET", `${ORG}/environments/development`);
    const { id, key } = await must("POST", `${ORG}/environments/development/keys`, { name: "to be revoked" });
    await plane.pool.query(
      `insert into schedules (id, organization_id, name, cron, timezone, event, payload)
         select 'sch_large_' || n, $1, 'large ' || n, '0 0 1 1 *', 'UTC', 'due', '"' || repeat('x', 32000) || '"'
         from generate_series(1, 400) n`,
      [organization],
    );
    await plane.pool.query(
      "insert into api_keys (id, environment_id, name, secret_version) select 'key_' || n, $1, 'many', 1 from generate_series(1, 50) n",
      [environment],
    );
    await must("DELETE", `${ORG}/environments/development/keys/${id}`);
    expect((await plane.ask("GET", "/api/v1/runs", { as: key })).status).toBe(401);
    await plane.pool.query("delete from schedules where id like 'sch_large_%'");
    await plane.pool.query("delete from api_keys where name = 'many'");
  });

  it("of another organization do not exist", async () => {
    const { owner: stranger } = await makeOrganization(plane, "other");
    const [{ id }] = (await must("GET", SCHEDULES)).data;
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const body = method === "PATCH" ? { enabled: false } : undefined;
      const answer = await plane.ask(method, `/api/v1/organizations/other/schedules/${id}`, { as: stranger, body });
      expect([answer.status, answer.body]).toEqual([404, { error: "There is no such schedule." }]);
    }
  });
});

describe("in one environment", () => {
  it("a schedule is switched off and on, and fired as a test", async () => {
    const [{ id }] = await here("live");
    const host = await registered("on-digest", DAILY.event);
    expect(await must("PATCH", `${LIVE}/schedules/${id}`, { enabled: false })).toMatchObject({
      id,
      enabled: false,
      nextTimes: [],
    });
    expect((await here("development")).find((each: { id: string }) => each.id === id)).toMatchObject({ enabled: true });
    await must("PATCH", `${LIVE}/schedules/${id}`, { enabled: true });
    const fired = await must("POST", `${LIVE}/schedules/${id}/fire`);
    expect(fired).toMatchObject({ name: DAILY.event, runs: [{ workflow: "on-digest" }] });
    expect(await must("GET", `${LIVE}/runs/${fired.runs[0].id}`)).toMatchObject({ isTest: true });
    host.close();
    const none = await ask("POST", `${LIVE}/schedules/sch_none/fire`);
    expect([none.status, none.body]).toEqual([404, { error: "There is no such schedule." }]);
    expect((await ask("PATCH", `${LIVE}/schedules/sch_none`, { enabled: true })).status).toBe(404);
    expect((await ask("PATCH", `${LIVE}/schedules/${id}`, { enabled: "yes" })).status).toBe(422);
  });

  it("a workflow is run as a test, with a payload of its own", async () => {
    const host = await registered("tested", "some.event");
    const tested = await must("POST", `${LIVE}/workflows/tested/test`, { payload: { a: [1, "\u0000"] } });
    expect(tested).toMatchObject({ name: "some.event", runs: [{ workflow: "tested" }] });
    expect(await must("GET", `${LIVE}/runs/${tested.runs[0].id}`)).toMatchObject({
      isTest: true,
      event: { payload: { a: [1, "\u0000"] } },
    });
    host.close();
    expect((await ask("POST", `${LIVE}/workflows/none/test`, { payload: {} })).status).toBe(404);
    expect((await ask("POST", `${LIVE}/workflows/tested/test`, {})).body.fields).toEqual([
      { path: "payload", message: "is missing" },
    ]);
    const large = await ask("POST", `${LIVE}/workflows/tested/test`, { payload: "x".repeat(1_100_000) });
    expect([large.status, large.body.fields?.[0].path]).toEqual([422, "payload"]);
  });

  it("is all in the audit log", async () => {
    const actions = (await must("GET", `${ORG}/audit?limit=100`)).data.map(({ action }: { action: string }) => action);
    for (const part of ["create", "change", "delete", "switch", "fire"]) expect(actions).toContain(`schedule.${part}`);
    expect(actions).toContain("workflow.test");
  });

  it("Postgres away: the list is read, a change answers 503 and nothing is changed", async () => {
    const before = await here("live");
    await plane.setPostgres(false);
    const refused = await ask("POST", SCHEDULES, { ...DAILY, name: "while away" });
    expect(refused.status).toBe(503);
    await plane.setPostgres(true);
    expect(await here("live")).toEqual(before);
  });
});
