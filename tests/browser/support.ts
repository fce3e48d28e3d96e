// A real browser on a real router: signed in by the link that a start prints, at two widths, with every page checked for
// accessibility and for what its security policy had to stop.
import chromium from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, type BrowserContext, type Page, chromium as playwright } from "playwright-core";
import { expect } from "vitest";
import { signInLink } from "../../scripts/local/owner.ts";
import type { Router } from "../system/support.ts";

/** The smallest phone and a desk. */
export const WIDTHS = [360, 1440] as const;
const HEIGHT = 900;

export async function startBrowser(): Promise<Browser> {
  // Made for a place where processes cannot be started; here one for each page is wanted.
  const args = chromium.args.filter((argument) => !/single-process|no-zygote|headless/.test(argument));
  return playwright.launch({ executablePath: await chromium.executablePath(), args, headless: true });
}

export interface Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained of. */
  readonly complaints: string[];
}

/** What a browser keeps of the owner's session, by router: signing in takes a second, and is tested by itself. */
const sessions = new WeakMap<Router, Awaited<ReturnType<BrowserContext["storageState"]>>>();

/** A window of this width that is signed in as the owner: by the link at first, by the same session from then on. */
export async function openWindow(browser: Browser, router: Router, width: number): Promise<Window> {
  const session = sessions.get(router);
  const { context, page, complaints } = await openStranger(browser, width, session);
  if (session) {
    await page.goto(router.ready.url);
  } else {
    const link = await signInLink(router.ready.url, router.ready.console);
    if (link === null) throw new Error("no link to sign in with");
    await page.goto(link);
  }
  await page.waitForURL(/\/orgs\/local\/development$/);
  if (!session) sessions.set(router, await context.storageState());
  return { context, page, complaints };
}

/** A window of someone who is not signed in, unless there is a session. */
export async function openStranger(
  browser: Browser,
  width: number,
  session?: Awaited<ReturnType<BrowserContext["storageState"]>>,
): Promise<Window> {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT },
    locale: "en-US",
    timezoneId: "UTC",
    permissions: ["clipboard-read", "clipboard-write"],
    ...(session && { storageState: session }),
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    // Going elsewhere while the socket opens is no fault.
    if (/WebSocket is closed before the connection is established/.test(message.text())) return;
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { context, page, complaints };
}

/** The address of a page of the dashboard. */
export function pageOf({ ready }: Router, environment: "live" | "development", path = ""): string {
  return `${ready.url}/orgs/${ready.organization.slug}/${environment}${path === "" ? "" : `/${path}`}`;
}

/** The page as it stands has no serious finding of axe, nothing that is wider than the window, and no complaint. */
export async function expectAccessible({ page, complaints }: Window): Promise<void> {
  // By the debugger, which the page's policy against foreign scripts does not concern.
  await page.evaluate(axe.source);
  const findings = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
  });
  expect(findings).toEqual([]);
  const wider = await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  expect(wider, "the page is wider than the window").toBeLessThanOrEqual(0);
  expect(complaints).toEqual([]);
}

/** Opens the menu of pages where there is no room for it. */
export async function openMenu({ page }: Window): Promise<void> {
  const button = page.getByRole("button", { name: "Pages" });
  if (await button.isVisible()) await button.click();
}
