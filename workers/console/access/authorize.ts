// Authorization of every route, from the table of rights alone and before the request is read. An object that the caller
// may not see gets the same answer as one that does not exist.
import { and, asc, eq, isNull } from "drizzle-orm";
import type { Context, MiddlewareHandler } from "hono";
import { mayActAs, type Role } from "../../../shared/api/roles.ts";
import { environments, members, organizations } from "../../../shared/db/schema.ts";
import { unauthorized } from "../../../shared/kernel/answers.ts";
import { afterBadGuess, isGuessing, tooMany } from "../../platform/rate-limits.ts";
import { pushEnvironment } from "../control/apply-change.ts";
import type { ConsoleServices } from "../control/ports.ts";
import { makeConsoleServices } from "../control/services.ts";
import { fromElsewhere, needsOperator, needsPerson, needsRole, notFound } from "../refusals.ts";
import type { RequiredRight } from "../routes/rights.ts";
import { readAccessCookie, setAccessCookie } from "./access-cookie.ts";
import { identify } from "./caller.ts";
import { isFromOurPages } from "./same-origin.ts";
import type { Caller, ConsoleEnv, OrganizationAccess } from "./types.ts";

/** `cached`: the route only reads from objects, so it trusts cookies of the last five minutes. */
export function authorize(needed: RequiredRight, cached: boolean): MiddlewareHandler<ConsoleEnv> {
  return async (c, next) => {
    const services = makeConsoleServices(c.env, (work) => c.executionCtx.waitUntil(work));
    c.set("services", services);
    if (needed === "public") return next();
    if (c.req.header("authorization") !== undefined && isGuessing(c.req.raw)) return tooMany("FAILURE_LIMIT");
    const identified = await identify(services, c.env, c.req.raw, !cached);
    if (identified === null) return afterBadGuess(c.env, c.req.raw, unauthorized());
    const { caller } = identified;
    mustBeFromOurPages(caller, c.req.raw);
    c.set("caller", caller);
    if (needed === "operator" && caller.kind !== "operator") throw needsOperator();
    if (needed === "person" && caller.kind !== "person") throw needsPerson();

    const slug = c.req.param("org");
    if (slug !== undefined) {
      const organization = cached ? await cachedAccess(c, caller, slug) : await readAccess(services, caller, slug);
      if (organization === null) throw notFound("organization");
      if (isRoleNeeded(needed) && !mayActAs(organization.role, needed)) throw needsRole(needed);
      c.set("organization", organization);
      const environmentSlug = c.req.param("env");
      if (environmentSlug !== undefined) {
        const environment = organization.environments.find((each) => each.slug === environmentSlug);
        if (environment === undefined) throw notFound("environment");
        c.set("environment", environment);
        // Repeats a push that failed, besides Repairs. A change that follows pushes anyway.
        if (environment.behind) services.afterwards(pushEnvironment(services, environment.id));
      }
    }
    await next();
    for (const cookie of identified.cookies) c.header("Set-Cookie", cookie, { append: true });
    c.header("Cache-Control", "no-store");
  };
}

async function cachedAccess(c: Context<ConsoleEnv>, caller: Caller, slug: string): Promise<OrganizationAccess | null> {
  const { services } = c.var;
  if (caller.kind !== "person" || caller.via !== "session") return readAccess(services, caller, slug);
  const { userId } = caller;
  const kept = await readAccessCookie(c, { userId, slug, now: services.now() });
  if (kept !== null) return kept;
  const organization = await readAccess(services, caller, slug);
  if (organization !== null) await setAccessCookie(c, { userId, organization, now: services.now() });
  return organization;
}

/** Null if the organization does not exist or the caller is not a member. Reads in one statement. */
export async function readAccess(
  { db }: Pick<ConsoleServices, "db">,
  caller: Caller,
  slug: string,
): Promise<OrganizationAccess | null> {
  const mine = caller.kind === "person" ? eq(members.userId, caller.userId) : undefined;
  const rows = await db
    .select({
      id: organizations.id,
      role: members.role,
      environmentId: environments.id,
      environmentSlug: environments.slug,
      revision: environments.revision,
      pushedRevision: environments.pushedRevision,
    })
    .from(organizations)
    .leftJoin(members, and(eq(members.organizationId, organizations.id), mine ?? eq(members.userId, "")))
    .leftJoin(environments, and(eq(environments.organizationId, organizations.id), isNull(environments.archivedAt)))
    .where(and(eq(organizations.slug, slug), isNull(organizations.deletedAt)))
    .orderBy(asc(environments.createdAt), asc(environments.id));
  const [first] = rows;
  const role = caller.kind === "operator" ? "owner" : first?.role;
  if (first === undefined || role === null || role === undefined) return null;
  const found = rows.flatMap(({ environmentId: its, environmentSlug, revision, pushedRevision }) =>
    its === null || environmentSlug === null
      ? []
      : [{ id: its, slug: environmentSlug, behind: (pushedRevision ?? 0) < (revision ?? 0) }],
  );
  return { id: first.id, slug, role, environments: found };
}

function isRoleNeeded(needed: RequiredRight): needed is Role {
  return needed !== "person" && needed !== "anyone" && needed !== "operator" && needed !== "public";
}

/** Refuses a change by a session unless a page of this router sent it. */
export function mustBeFromOurPages(caller: Caller, request: Request): void {
  if (caller.kind !== "person" || caller.via !== "session") return;
  const { method, headers, url } = request;
  const own = new URL(url).origin;
  const from = { method, own, origin: headers.get("origin"), fetchSite: headers.get("sec-fetch-site") };
  if (!isFromOurPages(from)) throw fromElsewhere();
}
