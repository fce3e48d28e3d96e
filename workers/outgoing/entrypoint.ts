// The stateless entrypoint through which the router calls users' targets: one invocation per attempt. The Environment
// object never calls out itself, because it has six connections that may wait for headers; each invocation here has its
// own.
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
