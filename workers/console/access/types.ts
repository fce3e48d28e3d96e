// Types that the checks of access hand to the routes.
import type { Env as HonoEnv } from "hono";
import type { Role } from "../../../shared/api/roles.ts";
import type { Env } from "../../env.ts";
import type { ConsoleServices } from "../control/ports.ts";

export type Caller =
  | { readonly kind: "operator" }
  | { readonly kind: "person"; readonly via: "token" | "session"; readonly userId: string; readonly email: string };

/** An organization as its caller may use it. */
export interface OrganizationAccess {
  readonly id: string;
  readonly slug: string;
  readonly role: Role;
  readonly environments: readonly EnvironmentAccess[];
}

export interface EnvironmentAccess {
  readonly id: string;
  readonly slug: string;
  /** True if the environment's object is not known to have the latest change. */
  readonly behind: boolean;
}

/** Hono's types for the console. `organization` and `environment` are set for routes whose path names one. */
export interface ConsoleEnv extends HonoEnv {
  Bindings: Env;
  Variables: {
    services: ConsoleServices;
    caller: Caller;
    organization: OrganizationAccess;
    environment: EnvironmentAccess;
  };
}
