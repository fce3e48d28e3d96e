// A webhook source with its environments, and deliveries to its URL, for tests in workerd.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { NewSource } from "../../shared/contracts/webhook-source.ts";
import { newOrganizationId } from "../../shared/ids/ids.ts";
import { sourceId, sourceName } from "../../shared/ids/source-ids.ts";
import { type Env, keySecrets } from "../../workers/env.ts";
import { bindings, makeEnvironment, request, type TestEnvironment, TestHost } from "./support.ts";

export interface TestSource {
  readonly organizationId: string;
  readonly service: string;
  readonly live: TestEnvironment;
  readonly development: TestEnvironment;
  readonly name: string;
  readonly path: string;
  readonly stub: ReturnType<Env["WEBHOOK_SOURCE"]["getByName"]>;
}

/** An organization with two environments that its book knows; no source yet. */
export async function makeOrganization(organizationId = newOrganizationId()) {
  const [live, development] = await Promise.all([
    makeEnvironment("live", organizationId),
    makeEnvironment("development", organizationId),
  ]);
  for (const { id, slug } of [live, development]) {
    await bindings.SOURCE_BOOK.getByName(organizationId).place({
      organizationId,
      environment: { id, slug },
      revision: 1,
      receivesWebhooks: true,
    });
  }
  return { organizationId, live, development };
}

export async function makeSource(service = "acme", given: Partial<NewSource> = {}): Promise<TestSource> {
  const organization = await makeOrganization();
  const { organizationId } = organization;
  const name = await sourceName(organizationId, service);
  const stub = bindings.WEBHOOK_SOURCE.getByName(name);
  const open = service === "acme" ? { verification: { scheme: "none" } as const } : {};
  const created = await stub.create({ organizationId, service, secrets: [], ...open, ...given });
  if (created !== "done") throw new Error(`not created: ${JSON.stringify(created)}`);
  const path = `/webhooks/${await sourceId(await keySecrets(bindings), organizationId, service)}`;
  return { ...organization, service, name, stub, path };
}

export function deliver(
  { path }: Pick<TestSource, "path">,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  return request(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

/** A host that listens to a service in one environment. */
export function listenTo(
  { key }: Pick<TestEnvironment, "key">,
  service: string,
  event = "issues",
  workflow = `on-${service}`,
): Promise<TestHost> {
  const filter = { service: [service], event: [event] };
  const trigger = { type: "WEBHOOK", service, name: event, filter, source: {}, manualRegistration: true };
  return TestHost.listening(key, workflow, event, { trigger });
}

/** Runs code inside a source's object, beside its own. */
export function insideSource<T>(
  { stub }: Pick<TestSource, "stub">,
  work: (state: DurableObjectState) => T | Promise<T>,
): Promise<T> {
  return runInDurableObject(stub, (_, state) => work(state));
}

export function deliveryRows({ stub }: Pick<TestSource, "stub">): Promise<Record<string, SqlStorageValue>[]> {
  return insideSource({ stub }, ({ storage }) => storage.sql.exec("SELECT * FROM deliveries ORDER BY id").toArray());
}

/** Fires the alarm; false when there was none. */
export function fireAlarm({ stub }: Pick<TestSource, "stub">): Promise<boolean> {
  return runDurableObjectAlarm(stub);
}

/** The events of an environment that deliveries became, by id. */
export async function eventIds(environment: TestEnvironment): Promise<string[]> {
  return runInDurableObject(environment.stub, (_, { storage }) =>
    storage.sql
      .exec<{ sender_id: string }>("SELECT sender_id FROM events WHERE kind = 'WEBHOOK' ORDER BY id")
      .toArray()
      .map(({ sender_id }) => sender_id),
  );
}

/** Has an environment fail to store deliveries until the answer is called. */
export async function breakEnvironment(
  { stub }: TestEnvironment,
  fails: () => boolean = () => true,
): Promise<() => Promise<void>> {
  let broken = true;
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql) as (query: string, ...values: unknown[]) => SqlStorageCursor<never>;
    sql.exec = ((query: string, ...values: unknown[]) => {
      if (broken && query.startsWith("INSERT INTO events") && fails()) throw new Error("broken by a test");
      return exec(query, ...values);
    }) as typeof sql.exec;
  });
  return async () => {
    broken = false;
  };
}
