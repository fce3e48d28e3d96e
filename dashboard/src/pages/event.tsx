// One event: its content, the runs it started, and the reasons why other workflows did not start.
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Explanation } from "../../../shared/api/events.ts";
import { event as eventQuery } from "../api/queries.ts";
import { usePlace } from "../shell/place.ts";
import { Problem } from "../ui/controls.tsx";
import { Badge, Facts, Json, Loading, PageTitle, Panel, Status, When } from "../ui/show.tsx";
import { KIND_LABELS } from "./events.tsx";

export function EventPage() {
  const place = usePlace();
  const { event: id } = useParams({ from: "/orgs/$org/$env/events/$event" });
  const { data: event, error } = useQuery(eventQuery(place, id));
  if (error) return <Problem error={error} />;
  if (!event) return <Loading />;
  return (
    <>
      <PageTitle title={event.name}>
        <Badge>{KIND_LABELS[event.kind]}</Badge> {event.isTest && <Badge>test</Badge>}{" "}
        <code className="data text-xs break-all">{event.id}</code>
      </PageTitle>
      <div className="flex flex-col gap-4">
        <Panel title="Event">
          <Facts
            facts={[
              ["Occurred", <When key="h" time={event.timestamp} />],
              ["Received", <When key="c" time={event.createdAt} />],
              ...(event.deliverAt ? [["Delayed until", <When key="d" time={event.deliverAt} />] as const] : []),
              ["Deduplicated until", <When key="k" time={event.keptUntil} />],
            ]}
          />
        </Panel>
        <Panel title="Runs">
          {event.runCount === 0 && <p className="text-soft">No runs started</p>}
          <ul className="flex flex-col gap-1.5">
            {event.runs.map((run) => (
              <li key={run.id} className="flex flex-wrap items-center gap-2">
                <Status status={run.status} />
                <span className="data">{run.workflow}</span>
                <Link
                  to="/orgs/$org/$env/runs/$run"
                  params={{ ...place, run: run.id }}
                  className="font-mono text-xs underline"
                >
                  {run.id}
                </Link>
              </li>
            ))}
          </ul>
          {event.runCount > event.runs.length && (
            <p className="mt-2 text-soft">and {event.runCount - event.runs.length} more</p>
          )}
        </Panel>
        {event.workflows.length > 0 && (
          <Panel title="Workflows listening for this name now">
            <Explanations workflows={event.workflows} />
          </Panel>
        )}
        <Panel>
          <Json label="Payload" value={event.payload} />
        </Panel>
        {event.context !== undefined && (
          <Panel>
            <Json label="Context" value={event.context} />
          </Panel>
        )}
      </div>
    </>
  );
}

/** Workflows that match, and for each other one the first part of its filter that fails. */
export function Explanations({ workflows }: { workflows: readonly Explanation[] }) {
  return (
    <ul className="flex flex-col gap-2">
      {workflows.map(({ workflow, matches, paused, mismatch }) => (
        <li key={workflow} className="flex flex-wrap items-baseline gap-2">
          <Badge tone={matches ? "good" : "none"}>{matches ? "matches" : "does not match"}</Badge>
          <span className="data font-medium">{workflow}</span>
          {paused && <Badge tone="wait">paused</Badge>}
          {mismatch && (
            <span className="data text-soft">
              <code>{mismatch.path}</code> is {mismatch.found}; expected <code>{mismatch.expected}</code>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
