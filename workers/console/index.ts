// The console Worker: the management API. It is the only one that speaks to Postgres, and never on the path of an event.
import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { log } from "../../shared/log.ts";
import { ORGANIZATION_BODY_MAX_BYTES, PostedOrganization } from "../../shared/organizations.ts";
import { SettingError } from "../env.ts";
import {
  databaseAnswer,
  failure,
  malformed,
  malformedOrganization,
  methodNotAllowed,
  organizationAnswer,
} from "./answers.ts";
import { AUTH_PATH } from "./auth/better-auth.ts";
import { answerAuth } from "./auth/routes.ts";
import { createOrganization } from "./create-organization.ts";
import { databaseFault } from "./database-faults.ts";
import { organizationEffects } from "./organization-effects.ts";
import type { OrganizationOutcome } from "./organizations.ts";
import { Refused } from "./refusals.ts";
import { ownerRoutes } from "./routes/owners.ts";
import type { ConsoleEnv } from "./routes/route.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { requireSetupToken } from "./setup-token.ts";
import { showOrganization } from "./show-organization.ts";

export const consoleApi = new OpenAPIHono<ConsoleEnv>({
  defaultHook: (result) => (result.success ? undefined : malformed("request", result.error)),
});

const COLLECTION = "/api/v1/organizations";
const ONE = "/api/v1/organizations/:slug";
const readable = bodyLimit({
  maxSize: ORGANIZATION_BODY_MAX_BYTES,
  onError: () => failure(413, `The body is too large. It may have ${ORGANIZATION_BODY_MAX_BYTES} bytes.`),
});

consoleApi.use(COLLECTION, requireSetupToken);
consoleApi.use(ONE, requireSetupToken);
consoleApi.post(COLLECTION, readable, async (c) => {
  const body = await c.req.json<unknown>().catch(() => undefined);
  if (body === undefined) return failure(400, "The body is not JSON. Send an object with name and slug.");
  const posted = PostedOrganization.safeParse(body);
  if (!posted.success) return malformedOrganization(posted.error);
  return answer(await createOrganization(organizationEffects(c.env), posted.data));
});
consoleApi.get(ONE, async (c) => answer(await showOrganization(organizationEffects(c.env), c.req.param("slug"))));
consoleApi.all(COLLECTION, () => methodNotAllowed("POST"));
consoleApi.all(ONE, () => methodNotAllowed("GET"));

consoleApi.all(`${AUTH_PATH}/*`, answerAuth);
tokenRoutes(consoleApi);
ownerRoutes(consoleApi);

consoleApi.onError((error) => {
  if (error instanceof Refused) return error.answer();
  // The framework's own: a body that is not JSON, or of another media type.
  if (error instanceof HTTPException)
    return failure(error.status, "The body is not JSON. Send it as application/json.");
  const fault = databaseFault(error);
  if (fault !== null) return databaseAnswer(fault);
  log("error", "management request failed", { name: error.name });
  // Its message names a setting and how to set it, never a value.
  if (error instanceof SettingError) return failure(503, `This router is not set up completely: ${error.message}.`);
  return failure(500, "Something failed inside. Send the request again.");
});

function answer(result: OrganizationOutcome): Response {
  if (result.outcome === "created") log("info", "organization created", { organization: result.organization.id });
  return organizationAnswer(result);
}
