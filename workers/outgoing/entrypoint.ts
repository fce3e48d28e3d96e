// The stateless entrypoint through which the router calls the user's targets: one call an attempt. The Environment
// object never calls out itself, because it has six connections that may wait for headers; this has its own each time.
import { WorkerEntrypoint } from "cloudflare:workers";
import { now } from "../../shared/kernel/clock.ts";
import type { Attempted, OutgoingRequest, OutgoingRpc } from "../../shared/wire/reference/fetch.ts";
import { type Env, parseSettings } from "../env.ts";
import { attempt } from "./attempt.ts";

export class OutgoingFetch extends WorkerEntrypoint<Env> implements OutgoingRpc {
  attempt(request: OutgoingRequest): Promise<Attempted> {
    return attempt(request, parseSettings(this.env).PRIVATE_TARGETS === "allowed", now);
  }
}
