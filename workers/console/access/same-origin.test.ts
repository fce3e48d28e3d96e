import { describe, expect, test } from "vitest";
import { isFromOurPages } from "./same-origin.ts";

const own = "https://switchyard.test";

describe("isFromOurPages", () => {
  test.each([
    ["a read from anywhere", "GET", "https://evil.test", "cross-site", true],
    ["a page of this router", "POST", own, "same-origin", true],
    ["a page of this router, in a browser without Sec-Fetch-Site", "POST", own, null, true],
    ["a page of this router, without Origin", "DELETE", null, "same-origin", true],
    ["a request without either header", "POST", null, null, false],
    ["another site", "POST", "https://evil.test", "cross-site", false],
    ["another site, in an old browser", "POST", "https://evil.test", null, false],
    ["another site that hides its origin", "POST", "null", "cross-site", false],
    ["another subdomain of the site", "POST", "https://x.switchyard.test", "same-site", false],
    ["the same host without TLS", "PATCH", "http://switchyard.test", null, false],
    ["headers that contradict each other", "POST", own, "cross-site", false],
    ["an address typed by hand", "POST", null, "none", false],
  ])("judges %s (%s)", (_case, method, origin, fetchSite, allowed) => {
    expect(isFromOurPages({ method, own, origin, fetchSite })).toBe(allowed);
  });
});
