// The first minutes with the dashboard, in a real browser, at the width of a phone and of a desk: signing in, the way to the
// first run, what is loaded, and what somebody sees who may only look.
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signInLink } from "../../scripts/local/owner.ts";
import { Connection, type Router, startHost, startRouter } from "../system/support.ts";
import { expectAccessible, openMenu, openStranger, openWindow, pageOf, startBrowser, WIDTHS } from "./support.ts";

const FIRST_LOAD_MAX_BYTES = 250 * 1024;
const PASSWORD = "a password of the tests";

let browser: Browser;
let router: Router;
beforeAll(async () => {
  [browser, router] = await Promise.all([startBrowser(), startRouter()]);
});
afterAll(async () => {
  await browser.close();
  await router.child.stop("SIGTERM");
});

it.each([
  [WIDTHS[0], "development"],
  [WIDTHS[1], "live"],
] as const)(
  "at %i px, in %s: from the printed link to the end of the first run, without a reload",
  async (width, environment) => {
    const window = await openWindow(browser, router, width);
    const { page } = window;
    const { key } = router.ready.environments[environment];
    const switcher = page.getByRole("navigation", { name: "Environment" });
    await switcher.getByRole("link", { name: environment }).click();
    await page.waitForURL(pageOf(router, environment));
    await page.getByRole("heading", { name: "Your first run" }).waitFor();
    await page.getByText("waiting for a host to connect").waitFor();
    expect(await page.content()).not.toContain(key);
    await expectAccessible(window);

    await page.getByRole("button", { name: "Show the key" }).click();
    await page.getByText(key).waitFor();
    const host = await startHost(router, environment, "starter.ts");
    await page.getByText("A host is connected").waitFor();
    await page.getByText("waiting for the first run").waitFor();
    await new Connection(router, environment).event("basic.starter", { id: "user_1" });
    await page.getByText("Run finished", { exact: false }).waitFor();
    await expectAccessible(window);
    await page.getByRole("link", { name: "View the run of Basic Starter" }).waitFor();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: "Your first run" }).waitFor({ state: "detached" });
    await openMenu(window);
    await page.getByRole("link", { name: "Runs", exact: true }).click();
    await page.getByRole("link", { name: /Basic Starter/ }).click();
    await page.getByText("Hello world from inside trigger.dev").waitFor();
    await page.getByText("user_1").first().waitFor();
    await expectAccessible(window);
    await host.stop("SIGKILL");
    await window.context.close();
  },
);

it("the first page loads less than 250 KB of compressed script", async () => {
  const { context, page } = await openWindow(browser, router, 1440);
  const scripts: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (response.url().endsWith(".js")) scripts.push(response.body());
  });
  await page.reload({ waitUntil: "networkidle" });
  await page.getByRole("heading", { level: 1 }).waitFor();
  const sizes = (await Promise.all(scripts)).map((body) => gzipSync(body).length);
  const sum = sizes.reduce((all, size) => all + size, 0);
  console.log(`first load: ${(sum / 1024).toFixed(0)} KB of compressed script in ${sizes.length} files`);
  expect(sizes.length).toBeGreaterThan(2);
  expect(sum).toBeLessThan(FIRST_LOAD_MAX_BYTES);
  await context.close();
});

it.each(WIDTHS)("at %i px: the link signs in once, and a stranger is asked to sign in", async (width) => {
  const link = String(await signInLink(router.ready.url, router.ready.console));
  const first = await openStranger(browser, width);
  await first.page.goto(link);
  await first.page.waitForURL(/\/orgs\/local\/development$/);
  expect(first.page.url()).not.toContain("#");

  const second = await openStranger(browser, width);
  const { page } = second;
  await page.goto(link);
  await page.getByRole("alert").getByText("This link was already used").waitFor();
  await page.goto(pageOf(router, "live", "runs"));
  await page.waitForURL(/\/sign-in\?to=/);
  await page.getByLabel("Email").fill(router.ready.console.email);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  // Every refusal until here is a line of the browser's own.
  second.complaints.splice(0);
  await expectAccessible(second);
  await page.getByLabel("Password").fill(router.ready.console.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/orgs\/local\/live\/runs$/);
  await page.getByRole("button", { name: /^Sign out/ }).click();
  await page.waitForURL(/\/sign-in/);
  await page.goto(pageOf(router, "live"));
  await page.waitForURL(/\/sign-in/);
  await Promise.all([first.context.close(), second.context.close()]);
});

it.each(WIDTHS)("at %i px: a viewer sees what goes on, and nothing that a viewer may not do", async (width) => {
  const email = `viewer-${width}@acme.test`;
  const invited = await fetch(`${router.ready.url}/api/v1/organizations/local/invitations`, {
    method: "POST",
    headers: { authorization: `Bearer ${router.ready.console.token}`, "content-type": "application/json" },
    body: JSON.stringify({ email, role: "viewer" }),
  });
  const { token } = (await invited.json()) as { token: string };
  const window = await openStranger(browser, width);
  const { page } = window;
  await page.goto(`${router.ready.url}/invited#${token}`);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Your name").fill("A Viewer");
  await page.getByLabel("Password").fill(PASSWORD);
  // That nobody is signed in yet is a line of the browser's own.
  window.complaints.splice(0);
  await expectAccessible(window);
  await page.getByRole("button", { name: "Join" }).click();
  await page.waitForURL(/\/orgs\/local\/development$/);

  await page.goto(pageOf(router, "development", "runs"));
  await page
    .getByRole("link", { name: /Basic Starter/ })
    .first()
    .click();
  await page.getByRole("heading", { name: "Basic Starter" }).waitFor();
  for (const path of ["runs", "workflows/basic-starter", "sources", "schedules", "keys", "settings"]) {
    if (path !== "runs") await page.goto(pageOf(router, "development", path));
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText("live updates").waitFor();
    expect(await page.locator("main").getByRole("button", { name: CHANGING }).allTextContents()).toEqual([]);
    expect(await page.getByRole("switch", { disabled: false }).count()).toBe(0);
  }
  await openMenu(window);
  expect(await page.getByRole("link", { name: "Test", exact: true }).count()).toBe(0);
  expect(await page.getByRole("button", { name: /^Copy the key/ }).count()).toBe(0);
  await page.getByText("ask an admin").first().waitFor();
  await expectAccessible(window);
  await window.context.close();
});

/** The names of all that changes something. */
const CHANGING =
  /cancel|again|test|pause|resume|deregister|add|create|rotate|revoke|^show$|invite|fire|delete|redeliver|remove/i;

it("the whole way to a run is gone by keyboard alone", async () => {
  const window = await openWindow(browser, router, 360);
  const { page } = window;
  await page.getByText("live updates").waitFor();
  /** Goes on with the tabulator to what is read out like this, and sees that it is shown to have the focus. */
  const goTo = async (name: string) => {
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press("Tab");
      const [label, outline] = await page.evaluate<[string, string]>(
        `(({ activeElement: e }) => [e.ariaLabel ?? e.textContent.trim(), getComputedStyle(e).outlineStyle])(document)`,
      );
      if (!label.startsWith(name)) continue;
      expect(outline).not.toBe("none");
      return;
    }
    throw new Error(`the keyboard does not come to ${name}`);
  };
  const focused = () => page.evaluate("document.activeElement.id || document.activeElement.ariaLabel");
  await goTo("Skip to content");
  await goTo("Pages");
  await page.keyboard.press("Enter");
  await goTo("Overview");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "Workflows" }).waitFor({ state: "hidden" });
  await expect.poll(() => page.evaluate("document.activeElement.ariaLabel")).toBe("Pages");
  await page.keyboard.press("Enter");
  await goTo("Runs");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/runs$/);
  // A new page begins with its own things, not with the menu's.
  await expect.poll(focused).toBe("main");
  await page.getByRole("link", { name: /Basic Starter/ }).waitFor();
  await goTo("All statuses");
  await page.keyboard.press("Enter");
  await page.getByRole("option", { name: "Success" }).waitFor();
  await page.keyboard.type("Succ");
  await page.keyboard.press("Enter");
  await page.waitForURL(/status=SUCCESS/);
  await page.getByRole("link", { name: /Basic Starter/ }).waitFor();
  await goTo("Success");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/runs\/run_/);
  await page.getByRole("heading", { name: "Basic Starter" }).waitFor();
  await expectAccessible(window);
  await window.context.close();
});
