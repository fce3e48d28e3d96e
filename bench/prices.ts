// List prices of the platform, beyond the volume included in its paid plan, as of the date below.
// https://developers.cloudflare.com/workers/platform/pricing/
// https://developers.cloudflare.com/durable-objects/platform/pricing/
export const PRICES_AS_OF = "2026-11-25";

/** Dollars per unit. */
export const PRICES = {
  rowsWritten: { dollars: 1e-6, text: "row written, in SQLite of an object" },
  rowsRead: { dollars: 0.001e-6, text: "row read" },
  objectRequests: { dollars: 0.15e-6, text: "request to an object: a call, an alarm" },
  framesIn: { dollars: 0.15e-6 / 20, text: "frame received by an object: a twentieth of a request" },
  framesOut: { dollars: 0, text: "frame sent" },
  requests: { dollars: 0.3e-6, text: "request to the Worker" },
  processorMs: { dollars: 0.02e-6, text: "millisecond of processor time of the Worker" },
  objectSeconds: { dollars: 12.5e-6 * 0.128, text: "second that an object is in memory and works (128 MB)" },
} as const;

export type Priced = keyof typeof PRICES;
