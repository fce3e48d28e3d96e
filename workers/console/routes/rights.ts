// The table of rights: every route of the management API and the right it requires. A route must be in it to be defined.
import type { Role } from "../../../shared/api/roles.ts";

/**
 * Right that a route requires. A role: the caller has it, or a higher one, in the organization of the path; the operator
 * counts as an owner. `person`: any signed-in person. `anyone`: a person or the operator. `operator`: the operator only.
 * `public`: no credentials.
 */
export type RequiredRight = Role | "person" | "anyone" | "operator" | "public";

export const ROUTES = {
  "GET /api/v1/me": "person",
  "GET /api/v1/tokens": "person",
  "POST /api/v1/tokens": "person",
  "DELETE /api/v1/tokens/{token}": "person",
  "POST /api/v1/invitations/accept": "public",

  "GET /api/v1/organizations": "anyone",
  "POST /api/v1/organizations": "anyone",
  "GET /api/v1/organizations/{org}": "viewer",
  "PATCH /api/v1/organizations/{org}": "admin",
  "DELETE /api/v1/organizations/{org}": "owner",
  "GET /api/v1/organizations/{org}/audit": "admin",
  "POST /api/v1/organizations/{org}/owners": "operator",
  "GET /api/v1/organizations/{org}/members": "viewer",
  "PATCH /api/v1/organizations/{org}/members/{user}": "admin",
  "DELETE /api/v1/organizations/{org}/members/{user}": "admin",
  "GET /api/v1/organizations/{org}/invitations": "admin",
  "POST /api/v1/organizations/{org}/invitations": "admin",
  "DELETE /api/v1/organizations/{org}/invitations/{invitation}": "admin",

  "GET /api/v1/organizations/{org}/environments": "viewer",
  "POST /api/v1/organizations/{org}/environments": "admin",
  "GET /api/v1/organizations/{org}/environments/{env}": "viewer",
  "PATCH /api/v1/organizations/{org}/environments/{env}": "admin",
  "DELETE /api/v1/organizations/{org}/environments/{env}": "admin",

  "GET /api/v1/organizations/{org}/environments/{env}/keys": "viewer",
  "POST /api/v1/organizations/{org}/environments/{env}/keys": "admin",
  "GET /api/v1/organizations/{org}/environments/{env}/keys/{key}": "viewer",
  "PATCH /api/v1/organizations/{org}/environments/{env}/keys/{key}": "admin",
  "DELETE /api/v1/organizations/{org}/environments/{env}/keys/{key}": "admin",
  "POST /api/v1/organizations/{org}/environments/{env}/keys/{key}/show": "admin",
  "POST /api/v1/organizations/{org}/environments/{env}/keys/{key}/rotate": "admin",

  "GET /api/v1/organizations/{org}/environments/{env}/workflows": "viewer",
  "DELETE /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}": "member",
  "POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/pause": "member",
  "POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/resume": "member",
  "POST /api/v1/organizations/{org}/environments/{env}/workflows/{workflow}/test": "member",
  "GET /api/v1/organizations/{org}/environments/{env}/events": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/events/{event}": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/runs": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/runs/{run}": "viewer",
  "POST /api/v1/organizations/{org}/environments/{env}/runs/{run}/cancel": "member",
  "POST /api/v1/organizations/{org}/environments/{env}/runs/{run}/rerun": "member",
  "GET /api/v1/organizations/{org}/environments/{env}/hosts": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/activity": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/history": "viewer",
  "POST /api/v1/organizations/{org}/environments/{env}/history/archive": "admin",
  "GET /api/v1/organizations/{org}/environments/{env}/hours": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/export": "viewer",
  "GET /api/v1/organizations/{org}/environments/{env}/watch": "viewer",

  "GET /api/v1/organizations/{org}/environments/{env}/schedules": "viewer",
  "PATCH /api/v1/organizations/{org}/environments/{env}/schedules/{schedule}": "member",
  "POST /api/v1/organizations/{org}/environments/{env}/schedules/{schedule}/fire": "member",

  "GET /api/v1/organizations/{org}/schedules": "viewer",
  "POST /api/v1/organizations/{org}/schedules": "member",
  "GET /api/v1/organizations/{org}/schedules/{schedule}": "viewer",
  "PATCH /api/v1/organizations/{org}/schedules/{schedule}": "member",
  "DELETE /api/v1/organizations/{org}/schedules/{schedule}": "member",

  "GET /api/v1/organizations/{org}/sources": "viewer",
  "POST /api/v1/organizations/{org}/sources": "admin",
  "GET /api/v1/organizations/{org}/sources/{source}": "viewer",
  "PATCH /api/v1/organizations/{org}/sources/{source}": "admin",
  "DELETE /api/v1/organizations/{org}/sources/{source}": "admin",
  "POST /api/v1/organizations/{org}/sources/{source}/show": "admin",
  "GET /api/v1/organizations/{org}/sources/{source}/deliveries": "viewer",
  "GET /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}": "viewer",
  "POST /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}/redeliver": "member",
  "POST /api/v1/organizations/{org}/sources/{source}/redeliver": "member",
} as const satisfies Record<`${"GET" | "POST" | "PATCH" | "DELETE"} /api/v1/${string}`, RequiredRight>;

export type RouteName = keyof typeof ROUTES;

export function rightOf(name: RouteName): RequiredRight {
  return ROUTES[name];
}

/** Routes that read from objects only. With a session of the last five minutes they need no Postgres. */
export const READ_FROM_OBJECTS: ReadonlySet<RouteName> = new Set<RouteName>([
  "GET /api/v1/organizations/{org}/environments/{env}/workflows",
  "GET /api/v1/organizations/{org}/environments/{env}/events",
  "GET /api/v1/organizations/{org}/environments/{env}/events/{event}",
  "GET /api/v1/organizations/{org}/environments/{env}/runs",
  "GET /api/v1/organizations/{org}/environments/{env}/runs/{run}",
  "GET /api/v1/organizations/{org}/environments/{env}/hosts",
  "GET /api/v1/organizations/{org}/environments/{env}/schedules",
  "GET /api/v1/organizations/{org}/environments/{env}/activity",
  "GET /api/v1/organizations/{org}/environments/{env}/history",
  "GET /api/v1/organizations/{org}/environments/{env}/hours",
  "GET /api/v1/organizations/{org}/environments/{env}/export",
  "GET /api/v1/organizations/{org}/environments/{env}/watch",
  "GET /api/v1/organizations/{org}/sources",
  "GET /api/v1/organizations/{org}/sources/{source}",
  "GET /api/v1/organizations/{org}/sources/{source}/deliveries",
  "GET /api/v1/organizations/{org}/sources/{source}/deliveries/{delivery}",
]);
