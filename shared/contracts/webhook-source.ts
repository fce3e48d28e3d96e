// What the objects of webhook sources answer to those who call them: the webhook Worker, the console, environments. The
// classes in workers/webhook implement it; the others see only these interfaces.
import type { Handshake, Naming, Verification } from "../api/source-settings.ts";

/** An environment that deliveries are handed to. */
export interface SourceEnvironment {
  readonly id: string;
  readonly slug: string;
}

/** Where an organization's deliveries go. A list with a version that is not newer than the known one changes nothing. */
export interface EnvironmentList {
  readonly version: number;
  readonly environments: readonly SourceEnvironment[];
}

/** A request to a source's URL, as it came. */
export interface SourceRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly rawBody: Uint8Array<ArrayBuffer>;
}

export type SourceAnswer =
  /** On disk; `id` is the delivery's. `repeated`: it was there before, under the provider's id. */
  | { readonly outcome: "accepted"; readonly id: string; readonly repeated: boolean }
  /** Kept and not routed: the provider's id is that of a delivery with another body. */
  | { readonly outcome: "kept apart"; readonly id: string; readonly conflictsWith: string }
  | { readonly outcome: "refused"; readonly status: 400 | 401; readonly message: string }
  | { readonly outcome: "handshake"; readonly answer: { status: 200; text: string } | { status: 400 | 401 } }
  | { readonly outcome: "wrong method" | "no source" };

export interface SourceSettings {
  readonly verification: Verification;
  readonly naming: Naming;
  readonly handshake: Handshake;
}

type Settings = { readonly [K in keyof SourceSettings]?: SourceSettings[K] | undefined };

/** What is left out is the service's own. */
export interface NewSource extends Settings {
  readonly organizationId: string;
  readonly service: string;
  readonly secrets: readonly string[];
}

export interface SourceChange extends Settings {
  /** All of them, in place of those before. */
  readonly secrets?: readonly string[] | undefined;
}

/** What the trigger of a workflow says of where its deliveries come from. */
export interface WebhookTrigger {
  readonly service: string;
  readonly source?: unknown;
  readonly manualRegistration: boolean;
}

/** A workflow that listens to a service was registered. */
export interface WebhookRegistration {
  readonly organizationId: string;
  readonly environment: SourceEnvironment;
  readonly trigger: WebhookTrigger;
}

export interface SourceDescription extends SourceSettings {
  readonly organizationId: string;
  readonly service: string;
  readonly secrets: number;
  readonly environments: readonly SourceEnvironment[];
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly lastDeliveryAt: number | null;
}

export interface SettingsProblem {
  /** In the body of a request: `verification`, or a place in `secrets`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}
/** `deleted`: the organization is being deleted. `full`: it has as many sources as it may. */
export type SourceChanged =
  | "done"
  | "exists"
  | "no source"
  | "deleted"
  | "full"
  | { readonly problems: readonly SettingsProblem[] };

export const DELIVERY_STATUSES = ["pending", "delivered", "parked", "refused", "conflict"] as const;
/**
 * `delivered`: every environment has its copy. `parked`: one could not be reached for a day. `refused`: one will not take
 * it. `conflict`: kept and not routed, see SourceAnswer.
 */
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const COPY_STATES = ["pending", "accepted", "parked", "conflict", "too large", "not received", "gone"] as const;
export type CopyState = (typeof COPY_STATES)[number];

/** A delivery on its way into one environment. */
export interface Copy {
  readonly environment: SourceEnvironment;
  /** 0 for the delivery itself, then counted by redelivery: each is an event of its own. */
  readonly number: number;
  readonly state: CopyState;
  readonly attempts: number;
  /** Unix milliseconds of the next try; null when there is none. */
  readonly dueAt: number | null;
}

export interface DeliverySummary {
  readonly id: string;
  readonly receivedAt: number;
  /** Null for a delivery without a name: it matches every name that is registered. */
  readonly name: string | null;
  readonly status: DeliveryStatus;
  readonly conflictsWith: string | null;
  readonly copies: readonly Copy[];
}

export interface DeliveryDetails extends DeliverySummary {
  /** Without those that prove who sent it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: Uint8Array<ArrayBuffer>;
}

export interface DeliveriesQuery {
  readonly limit: number;
  readonly cursor: string | null;
  readonly status: DeliveryStatus | null;
}

export interface DeliveriesPage {
  readonly data: readonly DeliverySummary[];
  readonly next: string | null;
}

/** Which deliveries to redeliver: one, or all of a status and a time. */
export type RedeliveryChoice =
  | { readonly id: string }
  | {
      readonly status: DeliveryStatus | null;
      /** Unix milliseconds; `until` is not included. */
      readonly from: number | null;
      readonly until: number | null;
      readonly cursor: string | null;
    };

export interface Redelivered {
  readonly ids: readonly string[];
  /** Deliveries that fit and were redelivered as often as one can be. */
  readonly exhausted: readonly string[];
  /** Where to go on; null when all were seen. */
  readonly next: string | null;
}

export interface SourceRpc {
  receive(request: SourceRequest): Promise<SourceAnswer>;
  create(source: NewSource): Promise<SourceChanged>;
  /** Makes the source if there is none, and changes none that is there. May be repeated. */
  register(registration: WebhookRegistration): Promise<void>;
  describe(): Promise<SourceDescription | null>;
  /** The parts in which what these triggers ask for differs from what the source does; in their order. */
  compare(triggers: readonly WebhookTrigger[]): Promise<readonly { asks: Verification; differs: boolean }[]>;
  change(change: SourceChange): Promise<SourceChanged>;
  remove(): Promise<void>;
  /** Null when there is no source, or when they can no longer be read: the deployment's secret was retired. */
  secrets(): Promise<readonly string[] | null>;
  /** False when there is no source, or none yet. */
  setEnvironments(list: EnvironmentList): Promise<boolean>;
  listDeliveries(query: DeliveriesQuery): Promise<DeliveriesPage | "no such cursor">;
  readDelivery(id: string): Promise<DeliveryDetails | null>;
  /** To these environments by slug, or to all. Null when there is no such delivery. */
  redeliver(choice: RedeliveryChoice, environments: readonly string[] | null): Promise<Redelivered | null>;
  /** Does what is due after the movable clock was moved. */
  clockMoved(): Promise<void>;
}

/** An environment's place in its organization, as the control plane has it. */
export interface EnvironmentPlace {
  readonly organizationId: string;
  readonly environment: SourceEnvironment;
  readonly revision: number;
  readonly receivesWebhooks: boolean;
}

export interface ListedSource {
  readonly service: string;
  readonly name: string;
}

/** One object per organization: which sources it has, and which environments they hand deliveries to. */
export interface SourceBookRpc {
  /** Answers once every source knows. May be repeated, and may come out of order. */
  place(place: EnvironmentPlace): Promise<void>;
  /** An environment is deleted for good; with the last one the sources go. */
  displace(environmentId: string): Promise<void>;
  /** Lists a source and answers where its deliveries go. `deleted`: the organization is. `full`: it has all it may have. */
  join(source: ListedSource, environment: SourceEnvironment | null): Promise<EnvironmentList | "deleted" | "full">;
  leave(service: string): Promise<void>;
  /** By service, after the one named by `cursor`. */
  list(query: { limit: number; cursor: string | null }): Promise<readonly ListedSource[]>;
}
