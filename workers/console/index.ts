// The console Worker: sign-in of people and the management API. It and the archive are all that speak to Postgres, never
// on the path of an event. Who may use a route stands in routes/table.ts.
import { OpenAPIHono } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { failure, malformed, methodNotAllowed } from "../../shared/kernel/answers.ts";
import { log } from "../../shared/kernel/log.ts";
import { SettingError } from "../env.ts";
import { HISTORY_AWAY, HistoryAway } from "../reading/archive-binding.ts";
import { answerAuth } from "./access/auth-routes.ts";
import { AUTH_PATH } from "./access/better-auth.ts";
import { databaseAnswer } from "./answers.ts";
import { databaseFault, isAboutNothing } from "./database-faults.ts";
import { Refused } from "./refusals.ts";
import { activityRoutes } from "./routes/activity.ts";
import { auditRoutes } from "./routes/audit.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { environmentRoutes } from "./routes/environments.ts";
import { eventRoutes } from "./routes/events.ts";
import { historyRoutes } from "./routes/history.ts";
import { hostRoutes } from "./routes/hosts.ts";
import { invitationRoutes } from "./routes/invitations.ts";
import { keyRoutes } from "./routes/keys.ts";
import { memberRoutes } from "./routes/members.ts";
import { organizationRoutes } from "./routes/organizations.ts";
import { ownerRoutes } from "./routes/owners.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { ROUTES } from "./routes/rights.ts";
import type { ConsoleEnv } from "./routes/route.ts";
import { runRoutes } from "./routes/runs.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { sourceRoutes } from "./routes/sources.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { workflowRoutes } from "./routes/workflows.ts";

export const consoleApi = new OpenAPIHono<ConsoleEnv>({
  defaultHook: (result) => (result.success ? undefined : malformed("request", result.error)),
});

consoleApi.all(`${AUTH_PATH}/*`, answerAuth);
const groups = [
  tokenRoutes,
  organizationRoutes,
  ownerRoutes,
  memberRoutes,
  invitationRoutes,
  environmentRoutes,
  keyRoutes,
  workflowRoutes,
  runRoutes,
  eventRoutes,
  hostRoutes,
  activityRoutes,
  historyRoutes,
  sourceRoutes,
  deliveryRoutes,
  scheduleRoutes,
  auditRoutes,
  referenceRoutes,
];
for (const addTo of groups) addTo(consoleApi);
for (const [path, methods] of methodsByPath()) consoleApi.all(path, () => methodNotAllowed(methods.join(", ")));

consoleApi.onError((error) => {
  if (error instanceof Refused) return error.answer();
  // The framework's own: a body that is not JSON, or of another media type.
  if (error instanceof HTTPException)
    return failure(error.status, "The body is not JSON. Send it as application/json.");
  if (error instanceof HistoryAway) return failure(503, HISTORY_AWAY);
  if (isAboutNothing(error)) return failure(404, "There is no such thing.");
  const fault = databaseFault(error);
  if (fault !== null) return databaseAnswer(fault);
  log("error", "management request failed", { name: error.name });
  // Its message names a setting and how to set it, never a value.
  if (error instanceof SettingError) return failure(503, `This router is not set up completely: ${error.message}.`);
  return failure(500, "Something failed inside. Send the request again.");
});

/** The paths of the table as Hono writes them, with the methods that each takes. */
function methodsByPath(): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const name of Object.keys(ROUTES)) {
    const [method = "", path = ""] = name.split(" ");
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    paths.set(pattern, [...(paths.get(pattern) ?? []), method]);
  }
  return paths;
}
