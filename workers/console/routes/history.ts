// The history of an environment: state of the archive, runs in numbers by the hour, and all runs as a file.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { Archived, History, Hour, HoursQuery } from "../../../shared/api/history.ts";
import { type ExportQuery, MEMBER } from "../../../shared/contracts/environment.ts";
import { HISTORY_AWAY, HistoryAway, readHistory } from "../../reading/archive-binding.ts";
import { exportThroughHistory } from "../../reading/read-through.ts";
import { audit, auditEntry } from "../audit.ts";
import { callEnvironment } from "../call-environment.ts";
import { environmentAway } from "../refusals.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });
/** Runs per page of an export. */
const EXPORTED_AT_ONCE = 100;

const show = route("GET /api/v1/organizations/{org}/environments/{env}/history", {
  summary: "How the archive of ended runs and events does",
  request: { params: env },
  responses: { 200: json("As of now.", History) },
});
const archive = route("POST /api/v1/organizations/{org}/environments/{env}/history/archive", {
  summary: "Hand what has ended to Postgres now, and forget what is old",
  request: { params: env },
  responses: { 200: json("All that has ended is in Postgres.", Archived) },
});
const hours = route("GET /api/v1/organizations/{org}/environments/{env}/hours", {
  summary:
    "Runs, failures and durations by the hour in which they were made, and by workflow; kept longer than the runs",
  request: { params: env, query: HoursQuery },
  responses: {
    200: json("The oldest first. An hour that is partly archived may come twice.", z.object({ data: z.array(Hour) })),
  },
});
const download = route("GET /api/v1/organizations/{org}/environments/{env}/export", {
  summary: "All runs of the environment, a line of JSON each, the newest first",
  request: { params: env },
  responses: {
    200: { description: 'NDJSON. A last line `{"error": …}` says that the rest could not be read.' },
  },
});

export function historyRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(show, async (c) => {
    const status = await callEnvironment(c.var, (environment) => environment.readHistoryStatus(MEMBER));
    return c.json({ ...status, backlog: { ...status.backlog } }, 200);
  });

  app.openapi(archive, async (c) => {
    const { services, environment } = c.var;
    const done = await services.objects.archive(environment.id);
    if (done === "gone") throw environmentAway();
    if (!done.complete) throw new HistoryAway();
    await audit(services.db, auditEntry(c.var, "history.archive", environment.id));
    return c.json({ runs: done.runs, events: done.events }, 200);
  });

  app.openapi(hours, async (c) => {
    const { from, to } = c.req.valid("query");
    const times = [Date.parse(from), Date.parse(to)] as const;
    const [archived, recent] = await Promise.all([
      readHistory((history) => history.hours(c.var.environment.id, ...times)),
      callEnvironment(c.var, (environment) => environment.readHours(MEMBER, ...times)),
    ]);
    const data = [...archived, ...recent].sort((a, b) => (a.hour < b.hour ? -1 : a.hour > b.hour ? 1 : 0));
    return c.json({ data }, 200);
  });

  app.openapi(download, async (c) => {
    const name = `${c.var.organization.slug}-${c.var.environment.slug}-runs.ndjson`;
    const headers = {
      "Content-Type": "application/x-ndjson",
      "Content-Disposition": `attachment; filename="${name}"`,
      "Cache-Control": "no-store",
    };
    return new Response(runsAsLines(c.var), { headers });
  });
}

/** Reads a page once the previous one was taken, so that a slow reader needs little memory. */
function runsAsLines(variables: ConsoleEnv["Variables"]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let cursor: string | null = null;
  let ended = false;
  return new ReadableStream({
    async pull(controller) {
      try {
        // Reads on past empty pages: a stream does not call `pull` again if it enqueued nothing.
        for (let read = 0; read === 0 && !ended; ) {
          const query: ExportQuery = { cursor, limit: EXPORTED_AT_ONCE };
          const slice = await callEnvironment(variables, (environment) => environment.exportRuns(MEMBER, query));
          if (slice === "no such cursor") throw new Error("the cursor of an export is unknown");
          const page = await exportThroughHistory(variables.environment.id, slice, query);
          for (const line of page.data) controller.enqueue(encoder.encode(`${line}\n`));
          read = page.data.length;
          cursor = page.next;
          ended = cursor === null;
        }
        if (ended) controller.close();
      } catch (error) {
        const why = error instanceof HistoryAway ? HISTORY_AWAY : "Something failed inside. Send the request again.";
        controller.enqueue(encoder.encode(`${JSON.stringify({ error: why })}\n`));
        controller.close();
      }
    },
  });
}
