// One attempt. The outside world is a table from URL to response that records the requests.
import { describe, expect, it } from "vitest";
import { VALUE_MAX_BYTES } from "../../shared/kernel/limits.ts";
import type { Attempted, OutgoingRequest } from "../../shared/wire/reference/fetch.ts";
import { attempt, retryAfter } from "./attempt.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");

interface Asked {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}
type World = Record<string, () => Response | Promise<Response>>;

const redirect =
  (to: string, status = 302) =>
  () =>
    new Response(null, { status, headers: { location: to } });

async function ask(
  world: World,
  request: Partial<OutgoingRequest> & { readonly url: string },
  privateAllowed = false,
): Promise<{ attempted: Attempted; asked: Asked[] }> {
  const asked: Asked[] = [];
  const send: typeof fetch = async (input, init = {}) => {
    const url = String(input);
    const { method = "GET", body } = init;
    asked.push({ url, method, headers: new Headers(init.headers), body });
    const answer = world[url];
    if (!answer) throw new TypeError("connection to 203.0.113.9 refused");
    return answer();
  };
  const whole = { method: "GET", headers: {}, body: null, ...request } as const;
  return { attempted: await attempt(whole, privateAllowed, () => NOW, send), asked };
}

const failure = (name: string) => ({ kind: "failed", error: { name } });

describe("the response", () => {
  it.each<[string, string, unknown]>([
    ["application/json", '{"a":1}', { a: 1 }],
    ["application/problem+json; charset=utf-8", "[1]", [1]],
    ["text/json", "1", 1],
    ["application/json", "{", "{"],
    ["text/plain", '{"a":1}', '{"a":1}'],
    ["application/jsonp", "1", "1"],
  ])("has, with type %s and text %s, the body %j", async (type, text, body) => {
    const world = { "https://a.example/": () => new Response(text, { headers: { "content-type": type } }) };
    const { attempted } = await ask(world, { url: "https://a.example/" });
    expect(attempted).toMatchObject({ kind: "response", response: { status: 200, ok: true, body } });
  });

  it("has no body when the target sends none", async () => {
    const { attempted } = await ask(
      { "https://a.example/": () => new Response(null, { status: 204 }) },
      { url: "https://a.example/" },
    );
    expect(attempted).toMatchObject({ kind: "response", response: { status: 204 } });
    expect(attempted.kind === "response" && "body" in attempted.response).toBe(false);
  });

  it("may have as many bytes as a value, and not one more", async () => {
    const sized = (bytes: number) => ({ "https://a.example/": () => new Response("é".repeat(bytes / 2)) });
    const fits = await ask(sized(VALUE_MAX_BYTES), { url: "https://a.example/" });
    expect(fits.attempted).toMatchObject({ kind: "response", response: { body: "é".repeat(VALUE_MAX_BYTES / 2) } });
    const tooLarge = await ask(sized(VALUE_MAX_BYTES + 2), { url: "https://a.example/" });
    expect(tooLarge.attempted).toMatchObject(failure("ResponseTooLarge"));
  });

  it("stops after the limit when it never ends", async () => {
    let canceled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel: () => {
        canceled = true;
      },
    });
    const { attempted } = await ask(
      { "https://a.example/": () => new Response(endless) },
      { url: "https://a.example/" },
    );
    expect(attempted).toMatchObject(failure("ResponseTooLarge"));
    expect(canceled).toBe(true);
  });
});

describe("the request", () => {
  it("has JSON as its type unless it names another", async () => {
    const world = { "https://a.example/": () => new Response("") };
    const plain = await ask(world, { url: "https://a.example/", method: "POST", body: "1" });
    expect(plain.asked[0]?.headers.get("content-type")).toBe("application/json");
    const typed = await ask(world, {
      url: "https://a.example/",
      method: "POST",
      body: "1",
      headers: { "Content-Type": "text/plain" },
    });
    expect(typed.asked[0]?.headers.get("content-type")).toBe("text/plain");
  });

  it.each(["GET", "HEAD"] as const)("has no body with %s", async (method) => {
    const { asked } = await ask(
      { "https://a.example/": () => new Response(null) },
      { url: "https://a.example/", method, body: "1" },
    );
    expect(asked[0]?.body).toBeNull();
  });

  it("cannot pass for another host or address", async () => {
    const headers = { Host: "b.example", "CF-Connecting-IP": "1.1.1.1", "X-Forwarded-For": "1.1.1.1", "x-mine": "1" };
    const { asked } = await ask(
      { "https://a.example/": () => new Response("") },
      { url: "https://a.example/", headers },
    );
    expect([...(asked[0]?.headers.keys() ?? [])]).toEqual(["x-mine"]);
  });

  it.each<[string, Partial<OutgoingRequest> & { url: string }, string]>([
    ["a URL that is none", { url: "//a" }, "InvalidUrl"],
    ["another scheme", { url: "ftp://a.example/" }, "RefusedTarget"],
    ["a private address", { url: "http://10.0.0.1/" }, "RefusedTarget"],
    ["TRACE", { url: "https://a.example/", method: "TRACE" }, "InvalidMethod"],
    ["a header with a line break", { url: "https://a.example/", headers: { a: "b\r\nc: d" } }, "InvalidHeader"],
    ["a header whose name is none", { url: "https://a.example/", headers: { "a b": "c" } }, "InvalidHeader"],
  ])("fails with %s", async (_what, request, name) => {
    const { attempted, asked } = await ask({}, request);
    expect(attempted).toMatchObject(failure(name));
    expect(asked).toEqual([]);
  });

  it("reveals nothing of the address or the cause when it fails", async () => {
    const { attempted } = await ask({}, { url: "https://down.example/" });
    expect(attempted).toEqual({
      kind: "failed",
      error: { name: "FetchError", message: "the target could not be reached" },
    });
  });

  it("says that it timed out", async () => {
    const world = {
      "https://slow.example/": () => Promise.reject(new DOMException("The operation timed out.", "TimeoutError")),
    };
    const { attempted } = await ask(world, { url: "https://slow.example/" });
    expect(attempted).toMatchObject({
      error: { name: "TimeoutError", message: "the target did not answer within 60 s" },
    });
  });
});

describe("a redirect", () => {
  const credentials = { authorization: "Bearer s", cookie: "a=b", "x-mine": "1" };

  it("keeps the credentials within the origin", async () => {
    const world = { "https://a.example/": redirect("/two"), "https://a.example/two": () => new Response("") };
    const { asked } = await ask(world, { url: "https://a.example/", headers: credentials });
    expect(Object.fromEntries(asked[1]?.headers ?? [])).toEqual(credentials);
  });

  it.each(["https://b.example/", "http://a.example/", "https://a.example:444/", "https://sub.a.example/"])(
    "takes no credentials along to the other origin %s",
    async (to) => {
      const world = { "https://a.example/": redirect(to), [to]: () => new Response("") };
      const { asked } = await ask(world, { url: "https://a.example/", headers: credentials });
      expect(Object.fromEntries(asked[1]?.headers ?? [])).toEqual({ "x-mine": "1" });
    },
  );

  it("takes no credentials along when it comes back to the first origin", async () => {
    const world = {
      "https://a.example/": redirect("https://b.example/"),
      "https://b.example/": redirect("https://a.example/two"),
      "https://a.example/two": () => new Response(""),
    };
    const { asked } = await ask(world, { url: "https://a.example/", headers: credentials });
    expect(Object.fromEntries(asked[2]?.headers ?? [])).toEqual({ "x-mine": "1" });
  });

  it.each(["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "ftp://a.example/", "//localhost/"])(
    "leads nowhere for %s",
    async (to) => {
      const { attempted, asked } = await ask({ "https://a.example/": redirect(to) }, { url: "https://a.example/" });
      expect(attempted).toMatchObject(failure("RefusedTarget"));
      expect(asked).toHaveLength(1);
    },
  );

  it.each<[number, string, string, boolean]>([
    [301, "POST", "GET", false],
    [302, "POST", "GET", false],
    [303, "POST", "GET", false],
    [303, "PUT", "GET", false],
    [307, "POST", "POST", true],
    [308, "POST", "POST", true],
    [301, "PUT", "PUT", true],
    [302, "DELETE", "DELETE", true],
    [303, "HEAD", "HEAD", false],
  ])("turns with %i the method %s into %s", async (status, method, then, keepsBody) => {
    const world = { "https://a.example/": redirect("/two", status), "https://a.example/two": () => new Response(null) };
    const request = { url: "https://a.example/", method: method as OutgoingRequest["method"], body: "1" };
    const { asked } = await ask(world, request);
    expect(asked[1]).toMatchObject({ method: then, body: keepsBody ? "1" : null });
  });

  it("leads on 20 times, and not once more", async () => {
    const world: World = { "https://a.example/20": () => new Response("") };
    for (let n = 0; n < 20; n++) world[`https://a.example/${n}`] = redirect(`/${n + 1}`);
    expect((await ask(world, { url: "https://a.example/0" })).attempted).toMatchObject({ kind: "response" });
    world["https://a.example/20"] = redirect("/21");
    const { attempted, asked } = await ask(world, { url: "https://a.example/0" });
    expect(attempted).toMatchObject(failure("TooManyRedirects"));
    expect(asked).toHaveLength(21);
  });

  it("counts as the response without a location", async () => {
    const world = { "https://a.example/": () => new Response("moved", { status: 301 }) };
    const { attempted } = await ask(world, { url: "https://a.example/" });
    expect(attempted).toMatchObject({ kind: "response", response: { status: 301, ok: false, body: "moved" } });
  });
});

it.each<[string | null, number | null]>([
  [null, null],
  ["0", 0],
  ["120", 120_000],
  [" 7 ", 7_000],
  ["Sun, 01 Mar 2026 12:00:30 GMT", 30_000],
  ["Sun, 01 Mar 2026 11:00:00 GMT", 0],
  ["-5", null],
  ["1.5", null],
  ["1e3", null],
  ["9999999999", null],
  ["2026-03-01T12:00:30Z", null],
  ["soon", null],
])("reads Retry-After %j as %j ms", (header, expected) => {
  expect(retryAfter(header, NOW)).toBe(expected);
});
