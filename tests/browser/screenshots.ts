// `npm run screenshots`: pictures of the dashboard's pages for docs/screenshots, of a fresh router with the reference
// client's workflows and some events. Made anew whenever the pages change.
import { mkdir } from "node:fs/promises";
import type { Page } from "playwright-core";
import { it } from "vitest";
import { ROOT } from "../system/children.ts";
import { Connection, type Router, startHost, startRouter } from "../system/support.ts";
import { startThinHost } from "../system/thin-host.ts";
import { openStranger, openWindow, pageOf, startBrowser } from "./support.ts";

const DESK = 1280;
const PHONE = 360;
const DIRECTORY = `${ROOT}docs/screenshots`;

it("pictures of every page", async () => {
  const router = await startRouter();
  const browser = await startBrowser();
  try {
    await mkdir(DIRECTORY, { recursive: true });
    const stranger = await openStranger(browser, DESK);
    await stranger.page.goto(`${router.ready.url}/sign-in`);
    await stranger.page.getByRole("heading", { level: 1 }).waitFor();
    await stranger.page.screenshot({ path: `${DIRECTORY}/sign-in.png` });
    await stranger.page.goto(`${router.ready.url}/invited#token`);
    await stranger.page.getByLabel("Your name").waitFor();
    await stranger.page.screenshot({ path: `${DIRECTORY}/invited.png` });
    await stranger.context.close();
    const first = await openWindow(browser, router, DESK);
    await picture(first.page, "first-run");
    await first.context.close();
    for (const environment of ["live", "development"] as const) {
      for (const [program, workflows] of [
        ["starter.ts", 1],
        ["clock.ts", 2],
        ["logs.ts", 1],
        ["fails.ts", 5],
      ] as const) {
        await startHost(router, environment, program, { workflows });
      }
      const connection = new Connection(router, environment);
      for (let number = 0; number < 12; number++) {
        await connection.event("basic.starter", { id: number % 5 === 4 ? number : `user_${number}` });
      }
      await connection.event("log.this", { text: "an order came in" });
      await connection.event("throw.error", { text: "the order has no address" });
      connection.close();
    }
    const source = await makeSource(router);
    const { ready } = router;
    for (const [environment, least] of [
      ["live", 100],
      ["development", 5],
    ] as const) {
      const filter = { event: ["order.paid"], payload: { amount: [{ $gte: least }] } };
      const trigger = { type: "CUSTOM_EVENT", service: "trigger", name: "order.paid", filter };
      await startThinHost(ready.url, ready.environments[environment].key, "order.paid", trigger);
    }
    const { page, context } = await openWindow(browser, router, DESK);
    const pages = ["", "workflows", "workflows/order.paid", "runs", "events", "sources", `sources/${source}`];
    for (const path of [...pages, "schedules", "test?workflow=basic-starter", "keys", "settings"]) {
      await page.goto(pageOf(router, "development", path));
      await picture(page, path === "" ? "home" : path.replace(source, "one").replace(/\?.*/, "").replace("/", "-"));
    }
    await page.goto(pageOf(router, "development", "runs"));
    await page
      .getByRole("link", { name: /Basic Starter/ })
      .first()
      .click();
    await picture(page, "run");
    await page.getByRole("link", { name: "basic.starter" }).click();
    await page.waitForURL(/\/events\//);
    await picture(page, "event");
    await page.goto(pageOf(router, "development", "runs?status=ERROR"));
    await page.getByRole("link", { name: /Throws an Error/ }).click();
    await page.waitForURL(/\/runs\/run_/);
    await picture(page, "run-failed");
    await page.goto(pageOf(router, "development", `sources/${source}`));
    await page
      .getByRole("link", { name: /delivered/ })
      .first()
      .click();
    await picture(page, "delivery");
    await page.goto(pageOf(router, "live"));
    await page.getByRole("button", { name: "Switch to dark colours" }).click();
    await picture(page, "home-live-dark");
    await context.close();
    const phone = await openWindow(browser, router, PHONE);
    await phone.page.goto(pageOf(router, "development", "runs"));
    await picture(phone.page, "runs-phone");
    await phone.page.goto(pageOf(router, "live"));
    await picture(phone.page, "home-phone");
  } finally {
    await browser.close();
  }
}, 300_000);

async function makeSource(router: Router): Promise<string> {
  const headers = { authorization: `Bearer ${router.ready.console.token}`, "content-type": "application/json" };
  const made = await fetch(`${router.ready.url}/api/v1/organizations/local/sources`, {
    method: "POST",
    headers,
    body: JSON.stringify({ service: "acme", verification: { scheme: "none" } }),
  });
  const { id, url } = (await made.json()) as { id: string; url: string };
  await fetch(url, { method: "POST", body: JSON.stringify({ shipped: 42 }) });
  return id;
}

async function picture(page: Page, name: string): Promise<void> {
  await page.getByText("live updates").waitFor();
  await page.waitForLoadState("networkidle");
  await page.getByText("Loading …").waitFor({ state: "detached" });
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.screenshot({ path: `${DIRECTORY}/${name}.png`, animations: "disabled" });
  console.log(`docs/screenshots/${name}.png`);
}
