// Whether a request may change something on the strength of a cookie. A browser sends cookies along with what another
// site's page asks for, so such a request has to show that a page of ours asked. A bearer token needs no such proof.

export interface RequestOrigin {
  readonly method: string;
  /** Origin of the request's own address: `https://switchyard.example`. */
  readonly own: string;
  /** The header Origin. */
  readonly origin: string | null;
  /** The header Sec-Fetch-Site, which browsers set and pages cannot. */
  readonly fetchSite: string | null;
}

/** Whether a page of ours asks, for what is no plain reading: the upgrade to a WebSocket. */
export function comesFromOurPage(request: Request): boolean {
  return request.headers.get("origin") === new URL(request.url).origin;
}

/** Reading changes nothing and is always allowed. Otherwise each of the two headers that is there must say "same", and one must be there. */
export function isFromOurPages({ method, own, origin, fetchSite }: RequestOrigin): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return true;
  if (origin === null && fetchSite === null) return false;
  return (origin === null || origin === own) && (fetchSite === null || fetchSite === "same-origin");
}
