// What is known of each provider: how it signs, where it names its events, how it numbers its deliveries, and how it asks
// whether the URL is yours. A source starts from the preset of its service; its own settings go before it.
// docs/webhooks.md shows this table.
import { type Handshake, HeaderName, type Naming, type Verification } from "../../shared/api/source-settings.ts";

export interface Preset {
  readonly title: string;
  /** Other services, as slugs, that are this provider. */
  readonly aliases: readonly string[];
  readonly verification: Verification;
  readonly naming: Naming;
  readonly deliveryId: DeliveryIdPlaces;
  readonly handshake: Handshake;
}

/** Where a provider's id of a delivery stands, the same when it sends the delivery again. The first that is there counts. */
export interface DeliveryIdPlaces {
  readonly headers: readonly string[];
  /** A member of the body, by its dotted path. */
  readonly path: string | null;
}

const BODY_TYPE: Naming = { from: "body", paths: ["type"] };
const STANDARD_IDS: DeliveryIdPlaces = { headers: ["webhook-id", "svix-id"], path: null };

export const PRESETS = {
  github: {
    title: "GitHub",
    aliases: ["githubcom"],
    verification: { scheme: "github" },
    naming: { from: "header", header: "X-GitHub-Event" },
    deliveryId: { headers: ["x-github-delivery"], path: null },
    handshake: "none",
  },
  gitlab: {
    title: "GitLab",
    aliases: ["gitlabcom"],
    verification: { scheme: "gitlab" },
    naming: { from: "header", header: "X-Gitlab-Event" },
    // The event's UUID is shared by all hooks that one another's deliveries set off: it comes last.
    deliveryId: { headers: ["idempotency-key", "webhook-id", "x-gitlab-event-uuid"], path: null },
    handshake: "none",
  },
  stripe: {
    title: "Stripe",
    aliases: ["stripecom"],
    verification: { scheme: "stripe" },
    naming: BODY_TYPE,
    deliveryId: { headers: [], path: "id" },
    handshake: "none",
  },
  slack: {
    title: "Slack",
    aliases: ["slackcom"],
    verification: { scheme: "slack" },
    // The Events API wraps the event; an interaction has its type outside, a slash command has its name.
    naming: { from: "body", paths: ["event.type", "type", "command"] },
    deliveryId: { headers: [], path: "event_id" },
    handshake: "slack",
  },
  shopify: {
    title: "Shopify",
    aliases: ["shopifycom"],
    verification: { scheme: "shopify" },
    naming: { from: "header", header: "X-Shopify-Topic" },
    // X-Shopify-Event-Id is the same for all topics of one action of the merchant: two events of one source share it.
    deliveryId: { headers: ["x-shopify-webhook-id"], path: null },
    handshake: "none",
  },
  linear: {
    title: "Linear",
    aliases: ["linearapp"],
    verification: { scheme: "linear" },
    naming: BODY_TYPE,
    deliveryId: { headers: ["linear-delivery"], path: null },
    handshake: "none",
  },
  "standard-webhooks": {
    title: "Standard Webhooks",
    aliases: ["standardwebhooks", "standardwebhookscom", "svix", "svixcom"],
    verification: { scheme: "standard-webhooks" },
    naming: BODY_TYPE,
    deliveryId: STANDARD_IDS,
    handshake: "none",
  },
  clerk: {
    title: "Clerk",
    aliases: ["clerkcom", "clerkdev"],
    verification: { scheme: "standard-webhooks" },
    naming: BODY_TYPE,
    deliveryId: STANDARD_IDS,
    handshake: "none",
  },
  resend: {
    title: "Resend",
    aliases: ["resendcom"],
    verification: { scheme: "standard-webhooks" },
    naming: BODY_TYPE,
    deliveryId: STANDARD_IDS,
    handshake: "none",
  },
  calcom: {
    title: "Cal.com",
    aliases: ["cal"],
    verification: { scheme: "trigger", header: "X-Cal-Signature-256" },
    naming: { from: "body", paths: ["triggerEvent"] },
    deliveryId: { headers: [], path: null },
    handshake: "none",
  },
  typeform: {
    title: "Typeform",
    aliases: ["typeformcom"],
    verification: {
      scheme: "hmac",
      algorithm: "sha256",
      header: "Typeform-Signature",
      prefix: "sha256=",
      encoding: "base64",
    },
    naming: { from: "body", paths: ["event_type"] },
    deliveryId: { headers: [], path: "event_id" },
    handshake: "none",
  },
  meta: {
    title: "Meta (Facebook, Instagram, WhatsApp)",
    aliases: ["facebook", "facebookcom", "instagram", "instagramcom", "whatsapp", "whatsappcom"],
    verification: { scheme: "github" },
    naming: { from: "body", paths: ["object"] },
    deliveryId: { headers: [], path: null },
    handshake: "meta",
  },
} as const satisfies Record<string, Preset>;

/** Where an id stands when neither service nor scheme says. */
const ANY_PROVIDER: DeliveryIdPlaces = { headers: ["idempotency-key"], path: null };

const BY_SERVICE: ReadonlyMap<string, Preset> = new Map(
  Object.entries<Preset>(PRESETS).flatMap(([service, preset]) =>
    [service, ...preset.aliases].map((name) => [name, preset] as const),
  ),
);

/** The preset of a service's slug; null for a service that is not known. */
export function presetOf(service: string): Preset | null {
  return BY_SERVICE.get(service) ?? null;
}

/** For a service without a preset a delivery matches every name that is registered for it. */
export function namingFor(service: string): Naming {
  return presetOf(service)?.naming ?? { from: "any" };
}

export function handshakeFor(service: string): Handshake {
  return presetOf(service)?.handshake ?? "none";
}

/** By the service, or by a scheme that is one provider's own (GitHub Enterprise under another name). */
export function deliveryIdPlaces(service: string, verification: Verification): DeliveryIdPlaces {
  return (presetOf(service) ?? presetOf(verification.scheme))?.deliveryId ?? ANY_PROVIDER;
}

/**
 * The verification that a workflow's registration asks for, and a source that is made for it demands: the service's own
 * scheme where there is a preset, the reference client's elsewhere. A trigger of an integration package (GitHub's) asks for
 * a signature, `webhookEvent` when its `verifyPayload` is enabled.
 */
export function verificationAskedFor(registration: {
  readonly service: string;
  readonly source?: unknown;
  readonly manualRegistration: boolean;
}): Verification {
  const asked = verifyPayloadOf(registration.source);
  if (registration.manualRegistration && !asked.enabled) return { scheme: "none" };
  const preset = presetOf(registration.service);
  if (preset !== null) return preset.verification;
  return registration.manualRegistration ? { scheme: "trigger", header: asked.header } : { scheme: "none" };
}

/** For a workflow that names no header, or what cannot be one. */
const DEFAULT_HEADER = "X-Signature";

function verifyPayloadOf(source: unknown): { enabled: boolean; header: string } {
  const given =
    typeof source === "object" && source !== null && "verifyPayload" in source ? source.verifyPayload : undefined;
  if (typeof given !== "object" || given === null || !("enabled" in given) || given.enabled !== true) {
    return { enabled: false, header: DEFAULT_HEADER };
  }
  const header = HeaderName.safeParse("header" in given ? given.header : undefined);
  return { enabled: true, header: header.data ?? DEFAULT_HEADER };
}
