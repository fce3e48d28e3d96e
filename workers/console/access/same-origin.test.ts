import { expect, test } from "vitest";
import { isFromOurPages } from "./same-origin.ts";

const own = "https://switchyard.test";

test.each([
  ["a read from anywhere", "GET", "https://evil.test", "cross-site", true],
  ["a page of ours", "POST", own, "same-origin", true],
  ["a page of ours, in a browser without Sec-Fetch-Site", "POST", own, null, true],
  ["a page of ours, without Origin", "DELETE", null, "same-origin", true],
  ["no sign of where it comes from", "POST", null, null, false],
  ["another site", "POST", "https://evil.test", "cross-site", false],
  ["another site, in an old browser", "POST", "https://evil.test", null, false],
  ["another site that hides its origin", "POST", "null", "cross-site", false],
  ["a neighbour of the same site", "POST", "https://x.switchyard.test", "same-site", false],
  ["the same host without TLS", "PATCH", "http://switchyard.test", null, false],
  ["headers that contradict each other", "POST", own, "cross-site", false],
  ["an address typed by hand", "POST", null, "none", false],
])("%s: %s", (_what, method, origin, fetchSite, allowed) => {
  expect(isFromOurPages({ method, own, origin, fetchSite })).toBe(allowed);
});
