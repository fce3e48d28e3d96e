// Every route of the management API and who may use it: the one table of rights. A route that is not here cannot be made.
import type { Role } from "../../../shared/roles.ts";

/**
 * A role: who has it, or one that may do more, in the organization of the path. The operator may do what an owner may.
 * `person`: whoever is signed in. `anyone`: a person or the operator. `operator`: nobody else. `public`: no credentials.
 */
export type Least = Role | "person" | "anyone" | "operator" | "public";

export const ROUTES = {
  "GET /api/v1/me": "person",
  "GET /api/v1/tokens": "person",
  "POST /api/v1/tokens": "person",
  "DELETE /api/v1/tokens/{token}": "person",
  "POST /api/v1/organizations/{org}/owners": "operator",
} as const satisfies Record<`${"GET" | "POST" | "PATCH" | "DELETE"} /api/v1/${string}`, Least>;

export type RouteName = keyof typeof ROUTES;

export function rightOf(name: RouteName): Least {
  return ROUTES[name];
}
