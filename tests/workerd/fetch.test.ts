// `ctx.fetch` through the whole object. The outside world is `globalThis.fetch`, called by the stateless entrypoint.
import { afterEach, beforeEach, expect, it, type MockInstance, vi } from "vitest";
import { advance, answerTo, HOUR, runningRun, shown } from "./durable-support.ts";
import { eventually, post, resetClock, rows, type TestHost } from "./support.ts";

let outside: MockInstance<typeof fetch>;

beforeEach(() => {
  outside = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("unexpected"));
});

afterEach(() => {
  resetClock();
  vi.restoreAllMocks();
});

const ask = (host: TestHost, runId: string, fetch: Record<string, unknown> = {}): Promise<unknown> =>
  host.call("SEND_FETCH", { runId, key: "f", fetch: { url: "https://target.example/", method: "GET", ...fetch } });

it("hands a response to the run", async () => {
  outside.mockImplementation(async () => Response.json({ n: 1 }, { headers: { "x-a": "b" } }));
  const { live, host, id } = await runningRun();
  expect(await ask(host, id)).toBe(true);
  const { data } = await answerTo(host, "RESOLVE_FETCH_REQUEST");
  expect(data).toMatchObject({ key: "f", output: { status: 200, ok: true, headers: { "x-a": "b" }, body: { n: 1 } } });
  expect(await host.complete(id)).toBe(true);
  expect((await shown(live, id)).tasks).toMatchObject([{ type: "FETCH_REQUEST", status: "SUCCESS", tries: 1 }]);
});

it("stops trying the fetch of a run that was canceled meanwhile", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  outside.mockImplementation(async () => {
    await gate;
    return new Response("", { status: 503 });
  });
  const { live, host, id } = await runningRun();
  const authorization = { __secureString: true, strings: ["Bearer ", ""], interpolations: ["s3cret"] };
  await ask(host, id, { headers: { authorization } });
  await eventually(() => expect(outside).toHaveBeenCalledTimes(1));
  expect((await post(live.key, `/api/v1/runs/${id}/cancel`, {})).status).toBe(200);
  open();
  await eventually(async () => expect(await rows(live, "SELECT calling FROM steps")).toEqual([{ calling: 0 }]));
  expect(await rows(live, "SELECT due_at FROM steps WHERE due_at IS NOT NULL")).toEqual([]);
  await advance(live, HOUR);
  await host.settled();
  expect(outside).toHaveBeenCalledTimes(1);
});

it.each<[string, Record<string, unknown>]>([
  ["a body that grows when it is stored", { method: "POST", body: '"'.repeat(520_000) }],
  ["headers without measure", { headers: { a: "x".repeat(3_000_000) } }],
])("a request too large to be stored ends its run with an error: %s", async (_what, request) => {
  const { live, host, id } = await runningRun();
  expect(await ask(host, id, request)).toBe(false);
  expect(await shown(live, id)).toMatchObject({ status: "ERROR", error: { name: "StepTooLarge" } });
});
