// Webhook sources and their deliveries on the wire of the management API.
import { z } from "zod";
import { COPY_STATES, DELIVERY_STATUSES } from "../contracts/webhook-source.ts";
import { EnvironmentSlug } from "./environments.ts";
import { PageQuery } from "./pages.ts";
import { Time } from "./people.ts";
import { RUN_STATUSES } from "./runs.ts";
import { Handshake, Naming, Secrets, ServiceSlug, Verification } from "./source-settings.ts";

const settings = { verification: Verification, naming: Naming, handshake: Handshake };

export const Source = z
  .object({
    id: z.string(),
    service: z.string(),
    url: z.string().meta({ description: "What the provider posts to. With the scheme none, whoever knows it can." }),
    ...settings,
    secrets: z.number().meta({ description: "How many there are. Without one every delivery is refused." }),
    environments: z.array(z.string()).meta({ description: "Where each delivery goes, by slug." }),
    createdAt: Time,
    lastDeliveryAt: Time.nullable(),
  })
  .meta({ id: "Source" });
export type Source = z.infer<typeof Source>;

export const SourceDetails = Source.extend({
  workflows: z
    .array(
      z.object({
        environment: z.string(),
        workflow: z.string(),
        asks: Verification,
        differs: z.boolean().meta({ description: "It asks for another verification than the source does." }),
      }),
    )
    .meta({ description: "The workflows that listen to the service. They are served whatever they ask for." }),
}).meta({ id: "SourceDetails" });
export type SourceDetails = z.infer<typeof SourceDetails>;

export const PostedSource = z.strictObject({
  service: ServiceSlug,
  verification: Verification.optional(),
  naming: Naming.optional(),
  handshake: Handshake.optional(),
  secrets: Secrets.default([]),
});
export const PatchedSource = z
  .strictObject({
    verification: Verification.optional(),
    naming: Naming.optional(),
    handshake: Handshake.optional(),
    secrets: Secrets.optional().meta({ description: "All of them, in place of those before." }),
  })
  .refine((patch) => Object.keys(patch).length > 0, "nothing to change");
export const SourceSecrets = z.object({ secrets: z.array(z.string()) }).meta({ id: "SourceSecrets" });

const copy = {
  environment: z.string(),
  event: z.string().meta({ description: "The id of the event that the delivery becomes there." }),
  state: z.enum(COPY_STATES),
  attempts: z.number(),
  nextTryAt: Time.nullable(),
};

export const Delivery = z
  .object({
    id: z.string(),
    receivedAt: Time,
    name: z.string().nullable().meta({ description: "Null: it matches every name that is registered." }),
    status: z.enum(DELIVERY_STATUSES),
    conflictsWith: z.string().nullable().meta({
      description: "The delivery whose id of the provider it has with another body. It is kept, and was not routed.",
    }),
    environments: z.array(z.object(copy)).meta({ description: "The last copy that each environment has or is owed." }),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof Delivery>;

const Workflow = z.object({
  workflow: z.string(),
  matches: z.boolean(),
  paused: z.boolean(),
  mismatch: z
    .object({ path: z.string(), expected: z.string(), found: z.string() })
    .optional()
    .meta({ description: "The first part of the filter that does not fit; `expected` is JSON." }),
});

export const DeliveryDetails = Delivery.extend({
  headers: z.record(z.string(), z.string()).meta({ description: "Without those that prove who sent it." }),
  body: z
    .union([z.object({ text: z.string() }), z.object({ base64: z.string() })])
    .meta({ description: "As it came: as text when it is UTF-8." }),
  environments: z.array(
    z.object({
      ...copy,
      runs: z.array(z.object({ id: z.string(), workflow: z.string(), status: z.enum(RUN_STATUSES) })),
      runCount: z.number(),
      workflows: z
        .array(Workflow)
        .nullable()
        .meta({ description: "Those of the service as they are now; null when the environment does not have it." }),
      reached: z.boolean().meta({ description: "False: the environment could not be asked. Ask again." }),
      earlier: z.array(z.string()).meta({ description: "Events of this delivery before it was redelivered." }),
    }),
  ),
}).meta({ id: "DeliveryDetails" });
export type DeliveryDetails = z.infer<typeof DeliveryDetails>;

const status = z.enum(DELIVERY_STATUSES, `status is one of ${DELIVERY_STATUSES.join(", ")}`);
export const DeliveriesQuery = PageQuery.extend({ status: status.optional() });

const environments = z
  .array(EnvironmentSlug, "environments are a list of slugs")
  .min(1, "name at least one environment, or leave it out for all")
  .max(100, "name at most 100 environments")
  .optional()
  .meta({ description: "All of the source when left out." });

export const PostedRedelivery = z.strictObject({ environments });
export const PostedRedeliveries = z
  .strictObject({
    environments,
    status: status.optional(),
    from: Time.optional().meta({ description: "Received at this time or later." }),
    until: Time.optional().meta({ description: "Received before this time." }),
    cursor: z.string().max(200).optional().meta({ description: "`next` of the answer before." }),
  })
  .refine(
    ({ status, from, until }) => status !== undefined || from !== undefined || until !== undefined,
    "say which: give status, from or until",
  );
export const Redelivered = z
  .object({
    ids: z.array(z.string()).meta({ description: "Those that are being handed over." }),
    exhausted: z.array(z.string()).meta({ description: "Those that were redelivered as often as can be." }),
    next: z.string().nullable().meta({ description: "Where to go on; null when all were seen." }),
  })
  .meta({ id: "Redelivered" });
export type Redelivered = z.infer<typeof Redelivered>;
