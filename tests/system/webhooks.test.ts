// Deliveries as providers send them, signed by the packages that providers give out where there is one, to workflows of
// the reference client in both environments: each delivery makes one run in each.
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Source, SourceDetails } from "../../shared/api/sources.ts";
import { Child, ROOT } from "./children.ts";
import { Connection, type EnvironmentName, type Router, readLog, startHost, startRouter, until } from "./support.ts";

const ENVIRONMENTS: readonly EnvironmentName[] = ["live", "development"];
const SECRETS: Record<string, string> = {
  github: "github's secret",
  stripe: "whsec_of_stripe",
  "standard-webhooks": `whsec_${Buffer.from("a secret of twenty-four bytes").toString("base64")}`,
};

let router: Router;
const connections = new Map<EnvironmentName, Connection>();
const connection = (environment: EnvironmentName) => connections.get(environment) as Connection;

beforeAll(async () => {
  router = await startRouter();
  for (const environment of ENVIRONMENTS) {
    connections.set(environment, new Connection(router, environment));
    const live = environment === "live" ? ["--live"] : [];
    await Promise.all([
      example("github-webhook", "index.ts", live).printed(/listening for events/i),
      example("stripe-webhook", "index.ts", live).printed(/listening for events/i),
      startHost(router, environment, "webhook.ts"),
    ]);
  }
});
afterAll(() => {
  for (const each of connections.values()) each.close();
});

function example(name: string, program: string, args: readonly string[] = []): Child {
  const loader = program === "index.ts" ? ["--import", "../starter/local-router.ts"] : [];
  return new Child(["--import", `${ROOT}tests/system/end-with-parent.ts`, ...loader, program, ...args], {
    cwd: `${ROOT}examples/${name}`,
    env: { SWITCHYARD_READY: join(router.directory, "ready.json") },
  });
}

async function manage<T>(method: string, path: string, body?: object): Promise<T> {
  const { url, organization, console } = router.ready;
  const response = await fetch(`${url}/api/v1/organizations/${organization.slug}/sources${path}`, {
    method,
    headers: { authorization: `Bearer ${console.token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** The source that a registration made, with the provider's secret. */
function sourceOf(service: string): Promise<Source> {
  return until(`there is a source for ${service}`, async () => {
    const { data } = await manage<{ data: Source[] }>("GET", "");
    const source = data.find((each) => each.service === service);
    return source && manage<Source>("PATCH", `/${source.id}`, { secrets: [SECRETS[service]] });
  });
}

interface Sent {
  readonly status: number;
  readonly body: { readonly id: string; readonly error?: string };
}

/** With node:http, which sends a header twice when it is a list. */
function deliver(url: string, body: string, headers: OutgoingHttpHeaders): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers: { "content-type": "application/json", ...headers } });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.end(body);
  });
}

/** The one run that this delivery made in an environment, when it has succeeded. */
async function outputOf(environment: EnvironmentName, delivery: string): Promise<unknown> {
  const made = await until(`${delivery} is in ${environment}`, async () => {
    const answered = await connection(environment).send("GET", `/api/v1/events/${delivery}`);
    return answered.status === 200 && (JSON.parse(answered.body) as { runs: { id: string }[] });
  });
  expect(made.runs).toHaveLength(1);
  return (await connection(environment).runWith(made.runs[0]?.id ?? "", "SUCCESS")).output;
}

const hex = (secret: string, text: string) => createHmac("sha256", secret).update(text).digest("hex");
const seconds = () => Math.floor(Date.now() / 1000);
const github = (body: string, more: OutgoingHttpHeaders = {}): OutgoingHttpHeaders => ({
  "x-github-event": "issues",
  "x-github-delivery": crypto.randomUUID(),
  "x-hub-signature-256": `sha256=${hex(SECRETS.github ?? "", body)}`,
  ...more,
});
const stripe = (payload: string, timestamp = seconds()): OutgoingHttpHeaders => ({
  "stripe-signature": new Stripe("unused").webhooks.generateTestHeaderString({
    payload,
    secret: SECRETS.stripe ?? "",
    timestamp,
  }),
});

describe("a delivery makes one run in each environment:", () => {
  it("GitHub's, of the recorded payload", async () => {
    const { url } = await sourceOf("github");
    const body = await readFile(`${ROOT}examples/github-webhook/payload.json`, "utf8");
    const { status, body: answer } = await deliver(url, body, github(body));
    expect(status).toBe(200);
    for (const environment of ENVIRONMENTS)
      expect(await outputOf(environment, answer.id)).toEqual({ environment, issue: 1, action: "opened" });
  });

  it("Stripe's, signed by its package", async () => {
    const { url } = await sourceOf("stripe");
    const body = await readFile(`${ROOT}examples/stripe-webhook/payload.json`, "utf8");
    const { status, body: answer } = await deliver(url, body, stripe(body));
    expect(status).toBe(200);
    for (const environment of ENVIRONMENTS) {
      const payment = expect.stringMatching(/^pi_/);
      expect(await outputOf(environment, answer.id)).toEqual({ environment, payment });
    }
  });

  it("a Standard Webhooks one, signed by its package", async () => {
    const { url } = await sourceOf("standard-webhooks");
    const body = JSON.stringify({ type: "invoice.paid", data: { id: "in_1" } });
    const at = new Date();
    const { status, body: answer } = await deliver(url, body, {
      "webhook-id": "msg_1",
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(SECRETS["standard-webhooks"] ?? "").sign("msg_1", at, body),
    });
    expect(status).toBe(200);
    for (const environment of ENVIRONMENTS)
      expect(await outputOf(environment, answer.id)).toEqual({ environment, invoice: "in_1" });
  });

  it("those that the examples send", async () => {
    for (const service of ["github", "stripe"]) {
      await sourceOf(service);
      const sender = example(`${service}-webhook`, "deliver.ts");
      expect(await sender.ended(), sender.output).toEqual({ code: 0, signal: null });
      const id = /dlv_\w+/.exec(sender.output)?.[0] ?? "";
      for (const environment of ENVIRONMENTS) expect(await outputOf(environment, id)).toMatchObject({ environment });
    }
  });
});

describe("a source that a registration made", () => {
  it("shows its workflows in both environments, and that they ask for what it does", async () => {
    const { id } = await sourceOf("stripe");
    const { workflows, verification } = await manage<SourceDetails>("GET", `/${id}`);
    expect(verification).toEqual({ scheme: "stripe" });
    expect(workflows.toSorted((a, b) => b.environment.localeCompare(a.environment))).toEqual(
      ENVIRONMENTS.map((environment) => ({
        environment,
        workflow: "stripe-payments",
        asks: { scheme: "stripe" },
        differs: false,
      })),
    );
    await manage("PATCH", `/${id}`, { verification: { scheme: "bearer" }, secrets: ["b"] });
    const changed = await manage<SourceDetails>("GET", `/${id}`);
    expect(changed.workflows.map(({ differs }) => differs)).toEqual([true, true]);
    await manage("PATCH", `/${id}`, { verification: { scheme: "stripe" }, secrets: [SECRETS.stripe] });
  });
});

describe("over HTTP, refused and not stored:", () => {
  const BODY = '{"action":"opened"}';
  const counts = async (service: string) => {
    const { id, url } = await sourceOf(service);
    const list = () => manage<{ data: { id: string }[] }>("GET", `/${id}/deliveries?limit=100`);
    return { url, before: (await list()).data.length, after: async () => (await list()).data.length };
  };

  const cases: [string, number, string, () => [string, OutgoingHttpHeaders]][] = [
    ["a tampered body", 401, "github", () => [BODY.replace("opened", "closed"), github(BODY)]],
    ["a missing header", 401, "github", () => [BODY, { "x-github-event": "issues" }]],
    [
      "a doubled header",
      400,
      "github",
      () => {
        const signature = `sha256=${hex(SECRETS.github ?? "", BODY)}`;
        return [BODY, github(BODY, { "x-hub-signature-256": [signature, signature] })];
      },
    ],
    [
      "a signature in base64",
      400,
      "github",
      () => {
        const signature = createHmac("sha256", SECRETS.github ?? "")
          .update(BODY)
          .digest("base64");
        return [BODY, github(BODY, { "x-hub-signature-256": `sha256=${signature}` })];
      },
    ],
    ["a signed time 301 s ago", 401, "stripe", () => [BODY, stripe(BODY, seconds() - 301)]],
    ["a signed time 302 s ahead", 401, "stripe", () => [BODY, stripe(BODY, seconds() + 302)]],
    [
      "1 MiB and a byte",
      413,
      "github",
      () => {
        const body = "a".repeat(1_048_577);
        return [body, github(body)];
      },
    ],
    [
      "1 MiB and a byte in chunks",
      413,
      "github",
      () => {
        const body = "a".repeat(1_048_577);
        return [body, github(body, { "transfer-encoding": "chunked" })];
      },
    ],
  ];
  it.each(cases)("%s (%i)", async (_, status, service, make) => {
    const { url, before, after } = await counts(service);
    const [body, headers] = make();
    const answer = await deliver(url, body, headers);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ["error"]]);
    expect(await after()).toBe(before);
  });

  it("a signed time 299 s ago is accepted", async () => {
    const { url } = await sourceOf("stripe");
    const body = JSON.stringify({ id: "evt_299", type: "other" });
    expect((await deliver(url, body, stripe(body, seconds() - 298))).status).toBe(200);
  });

  const chunk = (size: number, text: string) => `${size.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  const TOO_LARGE = "a".repeat(1_048_577);
  it.each([
    ["chunks that say less than they have", 400, "Transfer-Encoding: chunked\r\n", chunk(3, BODY)],
    ["chunks that say more than they have", 400, "Transfer-Encoding: chunked\r\n", chunk(900, BODY)],
    // Beside chunks a length counts for nothing (RFC 9112, 6.3), the limit for what comes does.
    [
      "1 MiB and a byte in chunks with a small length",
      413,
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
      chunk(TOO_LARGE.length, TOO_LARGE),
    ],
    ["two lengths that differ", 400, "Content-Length: 3\r\nContent-Length: 4\r\n", BODY],
    ["a length that is no number", 400, "Content-Length: 0x13\r\n", BODY],
    ["a length that is too short", 401, "Content-Length: 3\r\n", BODY],
  ])("%s (%i)", async (_, status, lengths, body) => {
    const { url, before, after } = await counts("github");
    const { host, hostname, port, pathname } = new URL(url);
    const signed = Object.entries(github(BODY)).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${signed.join("")}${lengths}\r\n`;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () =>
        socket.end(head + body),
      );
      let text = "";
      socket.on("data", (part) => {
        text += part;
      });
      // One that is refused early may be cut off while it still sends.
      socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
      socket.on("close", () => resolve(text));
    });
    expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
    expect(await after()).toBe(before);
  });

  it("a URL that was made up", async () => {
    const { url } = await sourceOf("github");
    const made = url.slice(0, -1) + (url.endsWith("0") ? "1" : "0");
    expect((await deliver(made, BODY, github(BODY))).status).toBe(404);
  });
});

it("no secret, signature, body or URL of a source reaches the log", async () => {
  const log = (await readLog(router)).join("\n");
  expect(log.length).toBeGreaterThan(0);
  for (const text of [...Object.values(SECRETS), "sha256=", "src_", "Codertocat", "pi_"])
    expect(log).not.toContain(text);
});
