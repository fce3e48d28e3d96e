// A workflow that listens to webhooks makes its source when it registers, without the console and without Postgres: there
// is none here.
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, expect, it } from "vitest";
import { sourceName } from "../../shared/ids/source-ids.ts";
import { SOURCES_MAX } from "../../shared/kernel/limits.ts";
import { advanceClock, bindings, eventually, inside, resetClock, rows, TestHost } from "./support.ts";
import { listenTo, makeOrganization, makeSource } from "./webhook-support.ts";

afterEach(resetClock);

type Organization = Awaited<ReturnType<typeof makeOrganization>>;

async function describe({ organizationId }: Pick<Organization, "organizationId">, service: string) {
  const stub = bindings.WEBHOOK_SOURCE.getByName(await sourceName(organizationId, service));
  return stub.describe();
}

function register(key: string, service: string, trigger: object, workflow = "w"): Promise<TestHost> {
  const whole = { type: "WEBHOOK", service, name: "e", filter: { service: [service], event: ["e"] }, ...trigger };
  return TestHost.listening(key, workflow, "e", { trigger: whole });
}
const verifying = (header: string) => ({
  source: { verifyPayload: { enabled: true, header } },
  manualRegistration: true,
});
const open = { source: { verifyPayload: { enabled: false } }, manualRegistration: true };

it("makes one source for both environments, which demands what the registration asks for", async () => {
  const organization = await makeOrganization();
  await register(organization.development.key, "acme", verifying("X-Acme"));
  await register(organization.live.key, "acme", verifying("X-Acme"));
  await eventually(async () => {
    expect(await describe(organization, "acme")).toMatchObject({
      organizationId: organization.organizationId,
      service: "acme",
      verification: { scheme: "trigger", header: "X-Acme" },
      naming: { from: "any" },
      secrets: 0,
      lastDeliveryAt: null,
    });
  });
  const environments = (await describe(organization, "acme"))?.environments.map(({ slug }) => slug).sort();
  expect(environments).toEqual(["development", "live"]);
  const book = bindings.SOURCE_BOOK.getByName(organization.organizationId);
  expect((await book.list({ limit: 10, cursor: null })).map(({ service }) => service)).toEqual(["acme"]);
});

it("makes GitHub's source for a trigger of its integration, with GitHub's own scheme", async () => {
  const organization = await makeOrganization();
  const source = { repo: "o/r", scopes: ["repo"], events: ["issues"] };
  await register(organization.live.key, "github", { name: "issues", source });
  await eventually(async () =>
    expect(await describe(organization, "github")).toMatchObject({
      verification: { scheme: "github" },
      naming: { from: "header", header: "X-GitHub-Event" },
    }),
  );
});

it("changes nothing of a source that is there: a development key cannot weaken what feeds live", async () => {
  const source = await makeSource("acme", { verification: { scheme: "bearer" }, secrets: ["s"] });
  const before = await source.stub.describe();
  await register(source.development.key, "acme", open);
  await register(source.development.key, "acme", verifying("X-Acme"), "w2");
  // Announced after these two, by the same environment.
  await register(source.development.key, "other", open, "w3");
  await eventually(async () => expect(await describe(source, "other")).not.toBeNull());
  expect(await source.stub.describe()).toEqual(before);
  expect(
    await source.stub.compare([
      { service: "acme", ...open },
      { service: "acme", ...verifying("X-Acme") },
    ]),
  ).toEqual([
    { asks: { scheme: "none" }, differs: true },
    { asks: { scheme: "trigger", header: "X-Acme" }, differs: true },
  ]);
});

it("is served at once, also when its source cannot be told, and the source is told later", async () => {
  const organization = await makeOrganization();
  const { live } = organization;
  let broken = true;
  await inside(live.stub, (_, instance) => {
    const { env } = instance as unknown as { env: { WEBHOOK_SOURCE: { getByName(name: string): unknown } } };
    const real = env.WEBHOOK_SOURCE;
    const failing = {
      getByName: (name: string) => {
        if (broken) throw new Error("unreachable");
        return real.getByName(name);
      },
    };
    Object.defineProperty(instance, "env", { value: { ...env, WEBHOOK_SOURCE: failing } });
  });
  await listenTo(live, "acme");
  await eventually(async () =>
    expect(await rows(live, "SELECT service, attempts FROM owed_sources")).toEqual([{ service: "acme", attempts: 1 }]),
  );
  expect(await describe(organization, "acme")).toBeNull();
  advanceClock(6_000);
  await runDurableObjectAlarm(live.stub);
  await eventually(async () =>
    expect(await rows(live, "SELECT attempts FROM owed_sources")).toEqual([{ attempts: 2 }]),
  );
  broken = false;
  advanceClock(20_000);
  await runDurableObjectAlarm(live.stub);
  await eventually(async () => expect(await describe(organization, "acme")).not.toBeNull());
  await eventually(async () => expect(await rows(live, "SELECT * FROM owed_sources")).toEqual([]));
});

it("makes no more sources than an organization may have", async () => {
  const organization = await makeOrganization();
  const book = bindings.SOURCE_BOOK.getByName(organization.organizationId);
  for (let i = 0; i < SOURCES_MAX; i++) await book.join({ service: `s${i}`, name: "source_x" }, null);
  expect(await book.join({ service: "s1", name: "source_x" }, null)).toMatchObject({ environments: expect.anything() });
  expect(await book.join({ service: "more", name: "source_x" }, null)).toBe("full");
  const stub = bindings.WEBHOOK_SOURCE.getByName(await sourceName(organization.organizationId, "more"));
  expect(
    await stub.create({
      organizationId: organization.organizationId,
      service: "more",
      verification: { scheme: "none" },
      secrets: [],
    }),
  ).toBe("full");
  expect(await stub.describe()).toBeNull();
});
