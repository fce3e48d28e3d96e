// GET /api/v1/runs, /api/v1/runs/:id, /api/v1/workflows/:slug/runs (each also with .json) and /api/v1/workflows.
import { PAGE_DEFAULT, PAGE_MAX } from "../../shared/limits.ts";
import { RUN_STATUSES, type RunsQuery } from "../../shared/runs.ts";
import { failure } from "./answers.ts";
import type { Ingress } from "./call-environment.ts";

const RUN_NOT_FOUND = "Run not found";
/** A page ends at a run, and its id is the cursor. */
const CURSOR = /^run_[0-9A-Za-z]{23}$/;
const WORKFLOW_NOT_FOUND = "Workflow not found";

export function getRun({ params, call }: Ingress): Promise<Response> {
  const id = withoutSuffix(params.id ?? "");
  return call(
    "runs:read",
    (environment, keyId) => environment.getRun(keyId, id),
    (run) => (run ? Response.json(run) : failure(404, RUN_NOT_FOUND)),
  );
}

export async function listRuns({ url, call }: Ingress): Promise<Response> {
  const query = readQuery(url.searchParams);
  if (query instanceof Response) return query;
  const workflow = url.searchParams.get("workflow");
  if (workflow === null)
    return call(
      "runs:read",
      (env, keyId) => env.listRuns(keyId, query),
      (page) => Response.json(page),
    );
  return call(
    "runs:read",
    (env, keyId) => env.listWorkflowRuns(keyId, workflow, query),
    (page) => Response.json(page ?? { data: [], next: null }),
  );
}

/** With `page`, or with neither, the reference API's numbered pages; with `cursor`, keyset pages. */
export async function listWorkflowRuns({ url, params, call }: Ingress): Promise<Response> {
  const slug = params.slug ?? "";
  const query = readQuery(url.searchParams);
  if (query instanceof Response) return query;
  // Numbered pages count, so they take no filter.
  if (query.cursor !== null || query.status !== null) {
    return call(
      "runs:read",
      (env, keyId) => env.listWorkflowRuns(keyId, slug, query),
      (page) => (page ? Response.json(page) : failure(404, WORKFLOW_NOT_FOUND)),
    );
  }
  const page = wholeNumber(url.searchParams.get("page"), 1, 1_000_000);
  if (page === null) return failure(422, "page must be a whole number from 1.");
  const { limit } = query;
  return call(
    "runs:read",
    (env, keyId) => env.pageWorkflowRuns(keyId, slug, page ?? 1, limit),
    (found) => {
      if (!found) return failure(404, WORKFLOW_NOT_FOUND);
      const { data, totalCount } = found;
      const next = page * limit < totalCount ? (data.at(-1)?.id ?? null) : null;
      return Response.json({ data, next, pagination: { page, totalPages: Math.ceil(totalCount / limit), totalCount } });
    },
  );
}

export function listWorkflows({ call }: Ingress): Promise<Response> {
  return call(
    "runs:read",
    (env, keyId) => env.listWorkflows(keyId),
    (data) => Response.json({ data, next: null }),
  );
}

function readQuery(search: URLSearchParams): RunsQuery | Response {
  const limit = wholeNumber(search.get("limit"), PAGE_DEFAULT, PAGE_MAX);
  if (limit === null) return failure(422, `limit must be a whole number from 1 to ${PAGE_MAX}.`);
  const wanted = search.get("status");
  const status = RUN_STATUSES.find((s) => s === wanted) ?? null;
  if (wanted !== null && status === null) return failure(422, `status must be one of ${RUN_STATUSES.join(", ")}.`);
  const cursor = search.get("cursor");
  if (cursor !== null && !CURSOR.test(cursor)) return failure(422, "cursor must be the `next` of an earlier page.");
  return { limit, cursor, status };
}

/** The number, `preset` when there is none, or null when it is not one from 1 to `most`. */
function wholeNumber(text: string | null, preset: number, most: number): number | null {
  if (text === null) return preset;
  if (!/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value >= 1 && value <= most ? value : null;
}

function withoutSuffix(id: string): string {
  return id.endsWith(".json") ? id.slice(0, -5) : id;
}
