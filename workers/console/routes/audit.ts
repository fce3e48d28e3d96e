// The audit log of an organization: actor, action and time of every change.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, desc, eq, lt } from "drizzle-orm";
import { z } from "zod";
import { AuditEntry } from "../../../shared/api/audit.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import { auditLog } from "../../../shared/db/schema.ts";
import { cursorNotFound } from "../keyset.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const list = route("GET /api/v1/organizations/{org}/audit", {
  summary: "Who did what, and when",
  request: { params: z.object({ org: z.string() }), query: PageQuery },
  responses: { 200: json("The newest first.", listOf(AuditEntry)) },
});

export function auditRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) throw cursorNotFound();
    const before = cursor === undefined ? undefined : lt(auditLog.id, Number(cursor));
    const rows = await c.var.services.db
      .select()
      .from(auditLog)
      .where(and(eq(auditLog.organizationId, c.var.organization.id), before))
      .orderBy(desc(auditLog.id))
      .limit(limit + 1);
    const page = pageOf(rows, limit, {
      answer: ({ at, actor, action, subject, environmentId }) => ({
        at: at.toISOString(),
        actor,
        action,
        subject,
        environmentId,
      }),
      cursor: ({ id }) => String(id),
    });
    return c.json(page, 200);
  });
}
