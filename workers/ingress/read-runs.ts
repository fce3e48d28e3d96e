// GET /api/v1/runs, /api/v1/runs/:id, /api/v1/workflows/:slug/runs (each also with .json) and /api/v1/workflows.

import { RUN_STATUSES, type RunsQuery } from "../../shared/api/runs.ts";
import { failure, jsonText } from "../../shared/kernel/answers.ts";
import { PAGE_DEFAULT, PAGE_MAX } from "../../shared/kernel/limits.ts";
import { runsThroughHistory, runThroughHistory } from "../reading/read-through.ts";
import type { Ingress } from "./call-environment.ts";
import { LIMIT_FORM, NO_SUCH_CURSOR, wholeNumber } from "./page-query.ts";

const RUN_NOT_FOUND = "Run not found";
const WORKFLOW_NOT_FOUND = "Workflow not found";

export function getRun({ params, environmentId, call }: Ingress): Promise<Response> {
  const id = withoutSuffix(params.id ?? "");
  return call(
    "runs:read",
    (environment, keyId) => environment.getRun(keyId, id),
    async (found) => {
      const run = await runThroughHistory(environmentId, id, found);
      return run === null ? failure(404, RUN_NOT_FOUND) : jsonText(run);
    },
  );
}

export async function listRuns({ url, environmentId, call, refuse }: Ingress): Promise<Response> {
  const query = readQuery(url.searchParams);
  if (query instanceof Response) return refuse("runs:read", query);
  const workflow = url.searchParams.get("workflow");
  return call(
    "runs:read",
    (environment, keyId) =>
      workflow === null ? environment.listRuns(keyId, query) : environment.listWorkflowRuns(keyId, workflow, query),
    async (slice) => {
      if (slice === "no such cursor") return failure(422, NO_SUCH_CURSOR);
      if (slice === "no such workflow") return Response.json({ data: [], next: null });
      return Response.json(await runsThroughHistory(environmentId, slice, query, workflow));
    },
  );
}

/** With `page`, or with neither, the reference API's numbered pages; with `cursor`, keyset pages. */
export async function listWorkflowRuns({ url, params, environmentId, call, refuse }: Ingress): Promise<Response> {
  const slug = params.slug ?? "";
  const query = readQuery(url.searchParams);
  if (query instanceof Response) return refuse("runs:read", query);
  if (query.cursor !== null) {
    return call(
      "runs:read",
      (environment, keyId) => environment.listWorkflowRuns(keyId, slug, query),
      async (slice) => {
        if (slice === "no such cursor") return failure(422, NO_SUCH_CURSOR);
        if (slice === "no such workflow") return failure(404, WORKFLOW_NOT_FOUND);
        return Response.json(await runsThroughHistory(environmentId, slice, query, slug));
      },
    );
  }
  const page = wholeNumber(url.searchParams.get("page"), 1, 1_000_000);
  if (page === null) return refuse("runs:read", failure(422, "page must be a whole number from 1."));
  const { limit, status } = query;
  return call(
    "runs:read",
    (environment, keyId) => environment.pageWorkflowRuns(keyId, slug, { page, limit, status }),
    (found) => {
      if (!found) return failure(404, WORKFLOW_NOT_FOUND);
      const { data, totalCount } = found;
      const next = page * limit < totalCount ? (data.at(-1)?.id ?? null) : null;
      return Response.json({ data, next, pagination: { page, totalPages: Math.ceil(totalCount / limit), totalCount } });
    },
  );
}

export async function listWorkflows({ url, call, refuse }: Ingress): Promise<Response> {
  const limit = wholeNumber(url.searchParams.get("limit"), PAGE_MAX, PAGE_MAX);
  if (limit === null) return refuse("runs:read", failure(422, LIMIT_FORM));
  const cursor = url.searchParams.get("cursor");
  return call(
    "runs:read",
    (environment, keyId) => environment.listWorkflows(keyId, { limit, cursor }),
    (page) => Response.json(page),
  );
}

function readQuery(search: URLSearchParams): RunsQuery | Response {
  const limit = wholeNumber(search.get("limit"), PAGE_DEFAULT, PAGE_MAX);
  if (limit === null) return failure(422, LIMIT_FORM);
  const wanted = search.get("status");
  const status = RUN_STATUSES.find((s) => s === wanted) ?? null;
  if (wanted !== null && status === null) return failure(422, `status must be one of ${RUN_STATUSES.join(", ")}.`);
  return { limit, cursor: search.get("cursor"), status };
}

function withoutSuffix(id: string): string {
  return id.endsWith(".json") ? id.slice(0, -5) : id;
}
