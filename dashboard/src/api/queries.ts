// The queries of the pages. Types come from the router's own API shapes, so that no shape is written twice.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { Activity } from "../../../shared/api/activity.ts";
import type { AuditEntry } from "../../../shared/api/audit.ts";
import type { Environment, Key } from "../../../shared/api/environments.ts";
import type { EventDetails, EventsPage } from "../../../shared/api/events.ts";
import type { History } from "../../../shared/api/history.ts";
import type { Invitation, Member, Organization } from "../../../shared/api/organizations.ts";
import type { Person } from "../../../shared/api/people.ts";
import type { RunFilters } from "../../../shared/api/run-pages.ts";
import type { Run, RunsPage } from "../../../shared/api/runs.ts";
import type { SchedulesPage } from "../../../shared/api/schedule-details.ts";
import type { Delivery, DeliveryDetails, Source, SourceDetails } from "../../../shared/api/sources.ts";
import type { WorkflowsPage } from "../../../shared/api/workflows.ts";
import type { TriggerKind } from "../../../shared/wire/reference/triggers.ts";
import { ask, path, query } from "./client.ts";

export interface Place {
  readonly org: string;
  readonly env: string;
}

export interface Page<T> {
  readonly data: readonly T[];
  readonly next: string | null;
}

/** All queries of one environment. A hint from its socket makes them stale. */
export const environmentKey = ({ org, env }: Place) => ["environment", org, env] as const;
const inEnvironment = "/organizations/{}/environments/{}";

export const me = queryOptions({ queryKey: ["me"], queryFn: () => ask<Person>("GET", path("/me")), retry: false });
export const organizations = queryOptions({
  queryKey: ["organizations"],
  queryFn: () => ask<Page<Organization>>("GET", path("/organizations?limit=100")),
});
export const environments = (org: string) =>
  queryOptions({
    queryKey: ["environments", org],
    queryFn: () => ask<Page<Environment>>("GET", path("/organizations/{}/environments?limit=100", org)),
  });

export const activity = (place: Place) =>
  queryOptions({
    queryKey: [...environmentKey(place), "activity"],
    queryFn: () => ask<Activity>("GET", path(`${inEnvironment}/activity`, place.org, place.env)),
  });
export const workflows = (place: Place) =>
  queryOptions({
    queryKey: [...environmentKey(place), "workflows"],
    queryFn: () => ask<WorkflowsPage>("GET", path(`${inEnvironment}/workflows?limit=100`, place.org, place.env)),
  });

export const runsPage = (place: Place, filters: RunFilters, cursor: string | null, limit = 50) =>
  ask<RunsPage>("GET", path(`${inEnvironment}/runs`, place.org, place.env) + query({ ...filters, cursor, limit }));
/** Not below the environment's key: the list merges new runs by itself, see pages/runs.tsx. */
export const runsKey = ({ org, env }: Place, filters: RunFilters) => ["runs", org, env, filters] as const;
export const runs = (place: Place, filters: RunFilters) =>
  infiniteQueryOptions({
    queryKey: runsKey(place, filters),
    queryFn: ({ pageParam }) => runsPage(place, filters, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });
export const run = (place: Place, id: string) =>
  queryOptions({
    queryKey: [...environmentKey(place), "run", id],
    queryFn: () => ask<Run>("GET", path(`${inEnvironment}/runs/{}`, place.org, place.env, id)),
  });

export const events = (place: Place, name: string | undefined, kind: TriggerKind | undefined) =>
  infiniteQueryOptions({
    queryKey: [...environmentKey(place), "events", name ?? "", kind ?? ""],
    queryFn: ({ pageParam }) =>
      ask<EventsPage>(
        "GET",
        path(`${inEnvironment}/events`, place.org, place.env) + query({ name, kind, cursor: pageParam, limit: 50 }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });
export const event = (place: Place, id: string) =>
  queryOptions({
    queryKey: [...environmentKey(place), "event", id],
    queryFn: () => ask<EventDetails>("GET", path(`${inEnvironment}/events/{}`, place.org, place.env, id)),
  });
export const schedules = (place: Place) =>
  queryOptions({
    queryKey: [...environmentKey(place), "schedules"],
    queryFn: () => ask<SchedulesPage>("GET", path(`${inEnvironment}/schedules?limit=100`, place.org, place.env)),
  });
export const history = (place: Place) =>
  queryOptions({
    queryKey: [...environmentKey(place), "history"],
    queryFn: () => ask<History>("GET", path(`${inEnvironment}/history`, place.org, place.env)),
  });
export const keys = (place: Place) =>
  queryOptions({
    queryKey: ["keys", place.org, place.env],
    queryFn: () => ask<Page<Key>>("GET", path(`${inEnvironment}/keys?limit=100`, place.org, place.env)),
  });

export const sources = (org: string) =>
  queryOptions({
    queryKey: ["sources", org],
    queryFn: () => ask<Page<Source>>("GET", path("/organizations/{}/sources?limit=100", org)),
  });
export const source = (org: string, id: string) =>
  queryOptions({
    queryKey: ["sources", org, id],
    queryFn: () => ask<SourceDetails>("GET", path("/organizations/{}/sources/{}", org, id)),
  });
export const deliveriesPage = (
  org: string,
  id: string,
  status: Delivery["status"] | undefined,
  cursor: string | null,
) =>
  ask<Page<Delivery>>(
    "GET",
    path("/organizations/{}/sources/{}/deliveries", org, id) + query({ status, cursor, limit: 50 }),
  );
export const deliveries = (org: string, id: string, status: Delivery["status"] | undefined) =>
  infiniteQueryOptions({
    queryKey: ["deliveries", org, id, "list", status ?? ""],
    queryFn: ({ pageParam }) => deliveriesPage(org, id, status, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next }) => next,
  });
export const delivery = (org: string, source: string, id: string) =>
  queryOptions({
    queryKey: ["deliveries", org, source, id],
    queryFn: () => ask<DeliveryDetails>("GET", path("/organizations/{}/sources/{}/deliveries/{}", org, source, id)),
  });
export const members = (org: string) =>
  queryOptions({
    queryKey: ["members", org],
    queryFn: () => ask<Page<Member>>("GET", path("/organizations/{}/members?limit=100", org)),
  });
export const invitations = (org: string) =>
  queryOptions({
    queryKey: ["invitations", org],
    queryFn: () => ask<Page<Invitation>>("GET", path("/organizations/{}/invitations?limit=100", org)),
  });
export const audit = (org: string) =>
  queryOptions({
    queryKey: ["audit", org],
    queryFn: () => ask<Page<AuditEntry>>("GET", path("/organizations/{}/audit?limit=50", org)),
  });
