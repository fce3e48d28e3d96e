// Schedules of an organization, and all schedules of an environment with their switches. Postgres is the record of an
// organization's schedules, which are pushed to the objects with the rest of their state. An environment's object is the
// record of its switches.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { and, asc, count, eq, isNull, sql } from "drizzle-orm";
import { z } from "zod";
import type { AuditAction } from "../../../shared/api/audit.ts";
import type { AcceptedEvent } from "../../../shared/api/events.ts";
import { listOf, PageQuery, pageOf } from "../../../shared/api/pages.ts";
import {
  EmittedEvent,
  EnvironmentSchedule,
  PatchedEnvironmentSchedule,
  PatchedSchedule,
  PostedSchedule,
  Schedule,
} from "../../../shared/api/schedules.ts";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import { environments, type Schedule as ScheduleRow, schedules } from "../../../shared/db/schema.ts";
import { newScheduleId } from "../../../shared/ids/ids.ts";
import { SCHEDULES_MAX } from "../../../shared/kernel/limits.ts";
import { nextTimes } from "../../../shared/kernel/schedule-times.ts";
import { audit, auditEntry, writeAudit } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { changeEnvironments } from "../change-environments.ts";
import { pushEnvironment } from "../control/apply-change.ts";
import { violates } from "../database-faults.ts";
import { afterCursor } from "../keyset.ts";
import { conflict, notFound } from "../refusals.ts";
import { body, type ConsoleEnv, json, route } from "./route.ts";

const TIMES_SHOWN = 5;
const SCHEDULE_BODY_MAX_BYTES = 128 * 1024;

const org = z.object({ org: z.string() });
const one = z.object({ org: z.string(), schedule: z.string() });
const env = z.object({ org: z.string(), env: z.string() });
const oneInEnv = z.object({ org: z.string(), env: z.string(), schedule: z.string() });

const list = route("GET /api/v1/organizations/{org}/schedules", {
  summary: "List the organization's schedules",
  request: { params: org, query: PageQuery },
  responses: { 200: json("The oldest first.", listOf(Schedule)) },
});
const create = route(
  "POST /api/v1/organizations/{org}/schedules",
  {
    summary: "Make a schedule that emits a custom event into every environment",
    request: { params: org, body: body(PostedSchedule) },
    responses: { 201: json("It is in force.", Schedule) },
  },
  SCHEDULE_BODY_MAX_BYTES,
);
const show = route("GET /api/v1/organizations/{org}/schedules/{schedule}", {
  summary: "Show a schedule",
  request: { params: one },
  responses: { 200: json("The schedule.", Schedule) },
});
const change = route(
  "PATCH /api/v1/organizations/{org}/schedules/{schedule}",
  {
    summary: "Change a schedule, or switch it on or off everywhere; times before the change are past",
    request: { params: one, body: body(PatchedSchedule) },
    responses: { 200: json("It is in force.", Schedule) },
  },
  SCHEDULE_BODY_MAX_BYTES,
);
const remove = route("DELETE /api/v1/organizations/{org}/schedules/{schedule}", {
  summary: "Delete a schedule",
  request: { params: one },
  responses: { 204: { description: "It emits nothing more." } },
});
const listHere = route("GET /api/v1/organizations/{org}/environments/{env}/schedules", {
  summary: "List the schedules of an environment: those its workflows registered, and the organization's",
  request: { params: env, query: PageQuery },
  responses: { 200: json("By id.", listOf(EnvironmentSchedule)) },
});
const switchHere = route("PATCH /api/v1/organizations/{org}/environments/{env}/schedules/{schedule}", {
  summary: "Switch a schedule on or off in one environment; times that pass while it is off are not made up for",
  request: { params: oneInEnv, body: body(PatchedEnvironmentSchedule) },
  responses: { 200: json("It is in force.", EnvironmentSchedule) },
});
const fire = route("POST /api/v1/organizations/{org}/environments/{env}/schedules/{schedule}/fire", {
  summary: "Fire a schedule now, as a test; it stays due when it was",
  request: { params: oneInEnv },
  responses: { 201: json("The event, and the test runs it made.", EmittedEvent) },
});

export function scheduleRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await c.var.services.db
      .select()
      .from(schedules)
      .where(
        and(
          eq(schedules.organizationId, c.var.organization.id),
          afterCursor(schedules, schedules, cursor, "oldest first"),
        ),
      )
      .orderBy(asc(schedules.createdAt), asc(schedules.id))
      .limit(limit + 1);
    const answer = (row: ScheduleRow) => scheduleAnswer(row, c.var.services.now());
    return c.json(pageOf(rows, limit, { answer, cursor: ({ id }) => id }), 200);
  });

  app.openapi(create, async (c) => {
    const { services, organization } = c.var;
    const { db } = services;
    const { payload, ...given } = c.req.valid("json");
    const [held] = await db
      .select({ count: count() })
      .from(schedules)
      .where(eq(schedules.organizationId, organization.id));
    if ((held?.count ?? 0) >= SCHEDULES_MAX) {
      throw conflict(`The organization has ${SCHEDULES_MAX} schedules, the maximum. Delete one first.`);
    }
    const row = {
      ...given,
      id: newScheduleId(),
      organizationId: organization.id,
      payload: JSON.stringify(payload),
      createdAt: new Date(services.now()),
    };
    await inEveryEnvironment(c.var, "schedule.create", row.id, db.insert(schedules).values(row));
    return c.json(scheduleAnswer(row, services.now()), 201);
  });

  app.openapi(show, async (c) => {
    const row = await find(c.var, c.req.valid("param").schedule);
    return c.json(scheduleAnswer(row, c.var.services.now()), 200);
  });

  app.openapi(change, async (c) => {
    const { services } = c.var;
    const { id } = await find(c.var, c.req.valid("param").schedule);
    const { payload, ...patch } = c.req.valid("json");
    const set = { ...patch, ...(payload !== undefined && { payload: JSON.stringify(payload) }) };
    await inEveryEnvironment(
      c.var,
      "schedule.change",
      id,
      services.db.update(schedules).set(set).where(eq(schedules.id, id)),
    );
    return c.json(scheduleAnswer(await find(c.var, id), services.now()), 200);
  });

  app.openapi(remove, async (c) => {
    const { id } = await find(c.var, c.req.valid("param").schedule);
    await inEveryEnvironment(
      c.var,
      "schedule.delete",
      id,
      c.var.services.db.delete(schedules).where(eq(schedules.id, id)),
    );
    return c.body(null, 204);
  });

  app.openapi(listHere, async (c) => {
    const { limit, cursor = null } = c.req.valid("query");
    const page = await callEnvironment(c.var, (environment) => environment.listSchedules(MEMBER, { limit, cursor }));
    const data = page.data.map(({ nextTimes, ...rest }) => ({ ...rest, nextTimes: [...nextTimes] }));
    return c.json({ data, next: page.next }, 200);
  });

  app.openapi(switchHere, async (c) => {
    const { schedule } = c.req.valid("param");
    const { enabled } = c.req.valid("json");
    const changed = await callEnvironment(c.var, (environment) =>
      environment.switchSchedule(MEMBER, schedule, enabled),
    );
    if (changed === null) throw notFound("schedule");
    await writeAudit(c.var, "schedule.switch", schedule);
    return c.json({ ...changed, nextTimes: [...changed.nextTimes] }, 200);
  });

  app.openapi(fire, async (c) => {
    const { schedule } = c.req.valid("param");
    const fired = await callEnvironment(c.var, (environment) => environment.fireSchedule(MEMBER, schedule));
    if (fired === null) throw notFound("schedule");
    await writeAudit(c.var, "schedule.fire", schedule);
    return c.json(emittedAnswer(fired), 201);
  });
}

/** Writes a change of a schedule and pushes it to every environment of the organization. */
async function inEveryEnvironment(
  variables: ConsoleEnv["Variables"],
  action: AuditAction,
  subject: string,
  write: Parameters<ConsoleEnv["Variables"]["services"]["db"]["batch"]>[0][number],
): Promise<void> {
  const { services, organization } = variables;
  const { db } = services;
  const ids = organization.environments.map(({ id }) => id);
  // Includes an environment that was added since the request began: its push lacked this change.
  const theirs = and(eq(environments.organizationId, organization.id), isNull(environments.archivedAt));
  const [, raised] = await changeEnvironments(services, ids, () =>
    db
      .batch([
        write,
        db
          .update(environments)
          .set({ revision: sql`${environments.revision} + 1` })
          .where(theirs)
          .returning({ id: environments.id }),
        audit(db, auditEntry(variables, action, subject)),
      ])
      .catch((error: unknown) => {
        if (!violates(error, "schedules_organization_id_name_unique")) throw error;
        throw conflict("The organization has a schedule of this name. Choose another name.");
      }),
  );
  for (const { id } of raised) if (!ids.includes(id)) services.afterwards(pushEnvironment(services, id));
}

async function find({ services, organization }: ConsoleEnv["Variables"], id: string): Promise<ScheduleRow> {
  const [row] = await services.db
    .select()
    .from(schedules)
    .where(and(eq(schedules.organizationId, organization.id), eq(schedules.id, id)));
  if (row === undefined) throw notFound("schedule");
  return row;
}

function scheduleAnswer(row: ScheduleRow, now: number): Schedule {
  const { id, name, cron, timezone, event, payload, enabled, createdAt } = row;
  const times = enabled ? nextTimes({ cron, timezone }, now, TIMES_SHOWN) : [];
  return {
    id,
    name,
    cron,
    timezone,
    event,
    payload: JSON.parse(payload) as unknown,
    enabled,
    createdAt: createdAt.toISOString(),
    nextTimes: times.map((time) => new Date(time).toISOString()),
  };
}

export function emittedAnswer({ id, name, runs }: AcceptedEvent): z.infer<typeof EmittedEvent> {
  return { id, name, runs: runs.map((run) => ({ ...run })) };
}
