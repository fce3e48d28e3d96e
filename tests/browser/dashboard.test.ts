// The dashboard as a person uses it, in a real browser, at the width of a phone and of a desk.
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Connection, type Router, startHost, startRouter } from "../system/support.ts";
import { expectAccessible, openMenu, openWindow, pageOf, startBrowser, WIDTHS, type Window } from "./support.ts";

const ENVIRONMENTS = ["live", "development"] as const;
const LIVE_UPDATE_WITHIN_MS = 1_000;
const FIRST_LOAD_MAX_BYTES = 250 * 1024;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe("the first minutes", () => {
  it.each(WIDTHS)("at %i px: from the printed link to the first run, without a reload", async (width) => {
    const router = await startRouter();
    const window = await openWindow(browser, router, width);
    const { page } = window;
    await page.getByRole("heading", { name: "Your first run" }).waitFor();
    expect(await page.content()).not.toContain(router.ready.environments.development.key);
    await expectAccessible(window);

    await page.getByRole("button", { name: "Show the key" }).click();
    await page.getByText(router.ready.environments.development.key).waitFor();
    const host = await startHost(router, "development", "starter.ts");
    await page.getByText("A host is connected").waitFor();
    await new Connection(router, "development").event("basic.starter", { id: "user_1" });
    // The way to the first run has done its work when there is one.
    await page.getByRole("heading", { name: "Your first run" }).waitFor({ state: "detached" });
    await openMenu(window);
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("link", { name: /Basic Starter/ }).click();
    await page.getByText("Hello world from inside trigger.dev").waitFor();
    await page.getByText("user_1").first().waitFor();
    await expectAccessible(window);
    await window.context.close();
    await host.stop("SIGKILL");
    await router.child.stop("SIGTERM");
  });

  it("loads less than 250 KB of compressed script", async () => {
    const router = await startRouter();
    const { context, page } = await openWindow(browser, router, 1440);
    const scripts: Promise<Buffer>[] = [];
    page.on("response", (response) => {
      if (response.url().endsWith(".js")) scripts.push(response.body());
    });
    await page.reload({ waitUntil: "networkidle" });
    await page.getByRole("heading", { level: 1 }).waitFor();
    const sizes = (await Promise.all(scripts)).map((body) => gzipSync(body).length);
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.reduce((all, size) => all + size, 0)).toBeLessThan(FIRST_LOAD_MAX_BYTES);
    await context.close();
    await router.child.stop("SIGTERM");
  });

  it("the link signs in once, and a stranger is asked to sign in", async () => {
    const router = await startRouter();
    const { signInLink } = await import("../../scripts/local/owner.ts");
    const link = await signInLink(router.ready.url, router.ready.console);
    const first = await (await browser.newContext({ locale: "en-US" })).newPage();
    await first.goto(String(link));
    await first.waitForURL(/\/orgs\/local\/development$/);
    expect(first.url()).not.toContain("#");
    const second = await (await browser.newContext({ locale: "en-US" })).newPage();
    await second.goto(String(link));
    await second.getByRole("alert").getByText("This link was used before").waitFor();

    await second.goto(pageOf(router, "live", "runs"));
    await second.waitForURL(/\/sign-in\?to=/);
    await second.getByLabel("Email").fill(router.ready.console.email);
    await second.getByLabel("Password").fill("not the password");
    await second.getByRole("button", { name: "Sign in" }).click();
    await second.getByRole("alert").waitFor();
    await second.getByLabel("Password").fill(router.ready.console.password);
    await second.getByRole("button", { name: "Sign in" }).click();
    await second.waitForURL(/\/orgs\/local\/live\/runs$/);
    await second.getByRole("button", { name: /^Sign out/ }).click();
    await second.waitForURL(/\/sign-in/);
    await second.goto(pageOf(router, "live"));
    await second.waitForURL(/\/sign-in/);
    await Promise.all([first.context().close(), second.context().close()]);
    await router.child.stop("SIGTERM");
  });
});

describe.each(WIDTHS)("at %i px", (width) => {
  let router: Router;
  let window: Window;
  const connections = new Map<string, Connection>();
  const connection = (environment: (typeof ENVIRONMENTS)[number]) =>
    connections.get(environment) ?? new Connection(router, environment);

  beforeAll(async () => {
    router = await startRouter();
    for (const environment of ENVIRONMENTS) {
      connections.set(environment, new Connection(router, environment));
      await startHost(router, environment, "starter.ts");
      await startHost(router, environment, "clock.ts", { workflows: 2 });
    }
    await connection("live").event("basic.starter", { id: "of-live" });
    await connection("development").event("basic.starter", { id: "of-development" });
  });
  beforeEach(async () => {
    window = await openWindow(browser, router, width);
  });
  afterEach(() => window.context.close());
  afterAll(async () => {
    for (const each of connections.values()) each.close();
    await router.child.stop("SIGTERM");
  });

  const api = (method: string, path: string, body?: unknown) =>
    fetch(`${router.ready.url}/api/v1/organizations/local/${path}`, {
      method,
      headers: { authorization: `Bearer ${router.ready.console.token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  it("switching the environment keeps the page and shows only its runs", async () => {
    const { page } = window;
    const of = Object.fromEntries(
      await Promise.all(ENVIRONMENTS.map(async (each) => [each, (await connection(each).runs())[0]?.id ?? ""])),
    );
    await page.goto(pageOf(router, "development", "runs"));
    await page.getByText(String(of.development)).waitFor();
    expect(await page.getByText(String(of.live)).count()).toBe(0);
    await expectAccessible(window);

    await page.getByRole("navigation", { name: "Environment" }).getByRole("link", { name: "live" }).click();
    await page.waitForURL(/\/orgs\/local\/live\/runs$/);
    await page.getByText(String(of.live)).waitFor();
    expect(await page.getByText(String(of.development)).count()).toBe(0);
    expect(await page.locator("[data-environment]").getAttribute("data-environment")).toBe("live");
    await expectAccessible(window);
    // A run of the other environment is not there, and its page says so.
    await page.goto(pageOf(router, "live", `runs/${of.development}`));
    await page.getByRole("alert").getByText("There is no such run").waitFor();
  });

  it("a key is created, copied, rotated and revoked", async () => {
    const { page } = window;
    await page.goto(pageOf(router, "development", "keys"));
    await page.getByRole("button", { name: "Create a key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("of the test");
    await expectAccessible(window);
    await dialog.getByRole("button", { name: "Create" }).click();
    const made = await dialog.getByText(/^trigger_development_/).textContent();
    await dialog.getByRole("button", { name: "Copy" }).click();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe(made);
    await dialog.getByRole("button", { name: "Done" }).click();
    const status = async (key: string | null) =>
      (await fetch(`${router.ready.url}/api/v1/runs`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status(made)).toBe(200);

    const row = page.getByRole("listitem", { name: "of the test" }).first();
    await row.getByRole("button", { name: "Rotate" }).click();
    await dialog.getByRole("button", { name: "Rotate" }).click();
    const rotated = await dialog.getByText(/^trigger_development_/).textContent();
    await dialog.getByRole("button", { name: "Done" }).click();
    expect(rotated).not.toBe(made);
    expect([await status(made), await status(rotated)]).toEqual([200, 200]);

    for (const _ of [1, 2]) {
      await page.getByRole("listitem", { name: "of the test" }).getByRole("button", { name: "Revoke" }).first().click();
      await dialog.getByRole("button", { name: "Revoke" }).click();
      await dialog.waitFor({ state: "detached" });
    }
    expect([await status(made), await status(rotated)]).toEqual([401, 401]);
    await expectAccessible(window);
  });

  it("a workflow is run as a test", async () => {
    const { page } = window;
    await page.goto(pageOf(router, "development", "test?workflow=basic-starter"));
    // An example made from the workflow's schema.
    await expect.poll(() => page.getByLabel("Payload").inputValue()).toBe('{\n  "id": "text"\n}');
    await page.getByLabel("Payload").fill("{ not JSON");
    await page.getByRole("button", { name: "Run test" }).click();
    await page.getByRole("alert").getByText("The payload is not JSON").waitFor();
    await page.getByLabel("Payload").fill('{"id":"of-a-test"}');
    await page.getByRole("button", { name: "Run test" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await page.getByText("of-a-test").first().waitFor();
    await page.getByText("Success").waitFor();
    await expectAccessible(window);
    await page.getByRole("button", { name: "Copy as a test" }).click();
    await expect.poll(() => page.getByLabel("Payload").inputValue()).toContain("of-a-test");
    await expectAccessible(window);
  });

  it("a webhook delivery is shown with both environments side by side, and redelivered", async () => {
    const { page } = window;
    const made = await api("POST", "sources", { service: "acme", verification: { scheme: "none" } });
    if (made.status !== 409) expect(made.status).toBe(201);
    const { data } = (await (await api("GET", "sources")).json()) as { data: { id: string; url: string }[] };
    const [source] = data;
    await page.goto(pageOf(router, "development", `sources/${source?.id}`));
    await page.getByText("None yet").waitFor();
    await fetch(String(source?.url), { method: "POST", body: JSON.stringify({ shipped: "<b>42</b>" }) });
    await page.getByRole("link", { name: /delivered/ }).click();
    for (const environment of ENVIRONMENTS) {
      const half = page.getByRole("region", { name: environment, exact: true });
      await half.getByText("accepted").waitFor();
      await half.getByText("It has started nothing here.").waitFor();
    }
    await page.getByText('"<b>42</b>"').waitFor();
    await expectAccessible(window);
    await page
      .getByRole("region", { name: "live", exact: true })
      .getByRole("button", { name: "Redeliver here" })
      .click();
    await expect
      .poll(async () => (await connection("live").send("GET", "/api/v1/events?kind=WEBHOOK")).body)
      .toMatch(/dlv_\w+_1"/);
    await page.goto(pageOf(router, "development", "sources"));
    await page.getByText("not verified").waitFor();
    await expectAccessible(window);
    await api("DELETE", `sources/${source?.id}`);
  });

  it("a schedule shows its next times, is switched off, and fires now", async () => {
    const { page } = window;
    await page.goto(pageOf(router, "development", "schedules"));
    const row = page.getByRole("listitem", { name: "by-cron" });
    await row.getByText(/Next: /).waitFor();
    await row.getByRole("button", { name: "Fire now" }).click();
    await row.getByRole("link", { name: "Run of by-cron" }).waitFor();
    await row.getByText("by-cron in development").or(row.getByRole("switch")).first().waitFor();
    await row.getByRole("switch").click({ force: true });
    await row.getByText("Not due while it is off.").waitFor();
    await expectAccessible(window);
    await row.getByRole("switch").click({ force: true });
    await row.getByText(/Next: /).waitFor();
    await row.getByRole("link", { name: "Run of by-cron" }).click();
    await page.getByText("Success").waitFor();
    await page.getByText("scheduledTime").first().waitFor();
  });

  it("what happens is shown within a second", async () => {
    const { page } = window;
    await page.goto(pageOf(router, "live", "runs"));
    await page.getByText("live updates").waitFor();
    await page.getByRole("list", { name: "Runs" }).waitFor();
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const [run] = (await connection("live").event("basic.starter", { id: `live-${round}` })).runs;
      const started = performance.now();
      await page.getByText(String(run?.id)).waitFor();
      times.push(performance.now() - started);
    }
    expect(times.sort((a, b) => a - b)[1]).toBeLessThan(LIVE_UPDATE_WITHIN_MS);
  });

  it("a payload full of markup and control characters is inert", async () => {
    const { page } = window;
    const nasty = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u0000\u001b[31m\u202egpj.exe\u2066 javascript:alert(1)`;
    const { runs, id } = await connection("development").event("basic.starter", { id: nasty });
    await connection("development").event(nasty.replaceAll(/\p{Cc}/gu, ""), nasty);
    const run = String(runs[0]?.id);
    for (const path of ["runs", `runs/${run}`, "events", `events/${id}`]) {
      await page.goto(pageOf(router, "development", path));
      await page.getByRole("heading", { level: 1 }).waitFor();
      const name = path.startsWith("events") ? "basic.starter" : "Basic Starter";
      await page
        .getByRole(path.includes("/") ? "heading" : "link", { name })
        .first()
        .waitFor();
      expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
      expect(await page.locator("main img, main script").count()).toBe(0);
    }
    await page.goto(pageOf(router, "development", `runs/${run}`));
    const shown = await page.getByRole("region", { name: "Event payload" }).locator("pre").textContent();
    expect(shown).toContain("<img src=x onerror=");
    // What cannot be seen, or would turn the text around, is written as an escape.
    expect(shown).toContain("\\u0000\\u001b[31m\\u202egpj.exe\\u2066");
    await expectAccessible(window);
  });

  it.each(["", "workflows", "workflows/basic-starter", "events", "sources", "test", "keys", "settings"])(
    "the page %s is accessible, in the dark too",
    async (path) => {
      const { page } = window;
      await page.goto(pageOf(router, "live", path));
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.getByText("live updates").waitFor();
      await expectAccessible(window);
      await page.getByRole("button", { name: "Switch to dark colours" }).click();
      await expectAccessible(window);
    },
  );
});
