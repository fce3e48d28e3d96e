// What the modules of a source work with.
import type { Delivery, DeliveryOutcome } from "../../../shared/contracts/environment.ts";
import type { Lane } from "./lane.ts";
import type { SourceRecord } from "./storage.ts";

export interface SourceContext {
  readonly sql: SqlStorage;
  readonly source: SourceRecord;
  /** Those of the source, in the clear. Empty also when they can no longer be read. */
  readonly secrets: () => Promise<readonly string[]>;
  /** The next number for a delivery; numbers sort by time. */
  readonly nextNumber: () => number;
  /** One call on a fresh stub. Rejects when the environment cannot be reached. */
  readonly give: (environmentId: string, delivery: Delivery) => Promise<DeliveryOutcome>;
  /** The calls to an environment that may be under way. */
  readonly lane: (environmentId: string) => Lane;
  readonly now: () => number;
  readonly random: () => number;
}
