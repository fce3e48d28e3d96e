// Protection of cookies against forged requests (CSRF). A browser also sends cookies with requests of other sites' pages,
// so a change by cookie must prove that a page of this router sent it. A bearer token needs no such proof.

export interface RequestOrigin {
  readonly method: string;
  /** Origin of the request's URL: `https://switchyard.example`. */
  readonly own: string;
  /** The header Origin. */
  readonly origin: string | null;
  /** The header Sec-Fetch-Site. Browsers set it; pages cannot. */
  readonly fetchSite: string | null;
}

/** The check for a GET that is no plain read: the upgrade to a WebSocket. */
export function comesFromOurPage(request: Request): boolean {
  return request.headers.get("origin") === new URL(request.url).origin;
}

/** Allows every read. Any other request must have one of the two headers, and each one present must name the same origin. */
export function isFromOurPages({ method, own, origin, fetchSite }: RequestOrigin): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return true;
  if (origin === null && fetchSite === null) return false;
  return (origin === null || origin === own) && (fetchSite === null || fetchSite === "same-origin");
}
