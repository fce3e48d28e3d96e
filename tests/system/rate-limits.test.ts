// The limits as the platform counts them, lowered so far that a test reaches them.
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

const LIMIT = 40;
const event = { event: { name: "x", payload: {} } };
let plane: ControlPlane;
let key: string;
/** Each test asks from an address of its own. */
let address = 0;
const from = (host: number) => ({ "cf-connecting-ip": `203.0.113.${host}` });

beforeAll(async () => {
  plane = await startControlPlane({ limits: LIMIT });
  const made = await plane.must("POST", "/api/v1/organizations", { as: plane.setupToken, body: { name: "acme" } });
  key = made.body.environments.live.key;
});
afterAll(() => plane.stop());

/** Asks until it is told to wait, and says what it was answered then. Before, it was let in at most `limit` times in each
 * period of `seconds` that this took, however slow the machine is. */
async function refusal<T extends Awaited<ReturnType<ControlPlane["ask"]>>>(
  limit: number,
  seconds: number,
  ask: () => Promise<T>,
): Promise<T> {
  const period = () => Math.floor(Date.now() / (seconds * 1000));
  const first = period();
  for (let asked = 0; ; asked++) {
    const answer = await ask();
    const periods = period() - first + 1;
    if (answer.status === 429) return answer;
    if (asked >= limit * periods) throw new Error(`let in ${asked + 1} times in ${periods} periods of ${seconds} s`);
  }
}

it("a key that asks too often is told to wait, whatever address it asks from", async () => {
  const send = () =>
    plane.ask("POST", "/api/v1/events", { as: key, body: event, headers: from(100 + (address++ % 100)) });
  const refused = await refusal(LIMIT, 10, send);
  expect([refused.headers.get("retry-after"), refused.body]).toEqual([
    "10",
    { error: expect.stringContaining("10 seconds") },
  ]);
});

it("it can connect all the same, as often as a deploy needs it", async () => {
  for (let i = 0; i < 3 * LIMIT; i++) {
    const headers = { authorization: `Bearer ${key}`, ...from(1) };
    const socket = new WebSocket(`${plane.url.replace("http", "ws")}/ws`, { headers });
    await new Promise((resolve, reject) => socket.on("message", resolve).on("error", reject));
    socket.close();
  }
});

it.each([
  ["API keys", 2, () => plane.ask("GET", "/api/v1/runs", { as: "trigger_live_x", headers: from(2) })],
  ["tokens", 3, () => plane.ask("GET", "/api/v1/me", { as: `pat_${"x".repeat(43)}`, headers: from(3) })],
  [
    "passwords",
    4,
    () =>
      plane.ask("POST", "/api/auth/sign-in/email", {
        body: { email: "x@y.test", password: "wrong wrong" },
        headers: { origin: plane.url, ...from(4) },
      }),
  ],
])("an address that tries %s that are no good is told to wait", async (_what, _host, ask) => {
  expect((await ask()).status).toBe(401);
  expect((await refusal(LIMIT, 60, ask)).headers.get("retry-after")).toBe("60");
});

it("an address that asks too often is told to wait, even for what is not there", async () => {
  const ask = () => plane.ask("GET", "/api/v1/nothing", { headers: from(5) });
  expect((await ask()).status).toBe(404);
  expect((await refusal(4 * LIMIT, 10, ask)).headers.get("retry-after")).toBe("10");
  expect((await plane.ask("GET", "/healthcheck", { headers: from(5) })).status).toBe(200);
});
