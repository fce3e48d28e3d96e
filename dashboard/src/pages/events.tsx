// The events of an environment, the newest first, and what each started.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { events } from "../api/queries.ts";
import { usePlace } from "../shell/place.ts";
import { Button, Field, Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, Status, When } from "../ui/show.tsx";

export const KIND_LABELS = { CUSTOM_EVENT: "event", WEBHOOK: "webhook", SCHEDULE: "schedule" } as const;

export function Events() {
  const place = usePlace();
  const [name, setName] = useState("");
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    events(place, name.trim() || undefined),
  );
  const shown = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      <PageTitle title="Events">Everything that came into this environment.</PageTitle>
      <div className="mb-3 max-w-xs">
        <Field label="Name" value={name} onChange={setName} placeholder="user.created" />
      </div>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data && shown.length === 0 && <Empty title="No events here that fit." />}
      <ul aria-label="Events" className="flex flex-col gap-1.5">
        {shown.map((event) => (
          <li key={event.id}>
            <Link
              to="/orgs/$org/$env/events/$event"
              params={{ ...place, event: event.id }}
              className="grid grid-cols-[1fr_auto] items-center gap-3 rounded-md border border-line bg-panel px-3 py-2 no-underline hover:border-accent"
            >
              <span className="min-w-0">
                <span className="data block truncate font-medium">
                  {event.name} <Badge>{KIND_LABELS[event.kind]}</Badge> {event.isTest && <Badge>test</Badge>}
                </span>
                <span className="flex flex-wrap items-center gap-1.5 text-xs text-soft">
                  {event.runCount === 0 && (event.deliverAt ? "delayed" : "started nothing")}
                  {event.runs.slice(0, 4).map(({ id, workflow, status }) => (
                    <span key={id} className="data flex items-center gap-1">
                      <Status status={status} /> {workflow}
                    </span>
                  ))}
                  {event.runCount > 4 && `and ${event.runCount - 4} more`}
                </span>
              </span>
              <span className="text-xs text-soft">
                <When time={event.createdAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button className="mt-3" isDisabled={isFetchingNextPage} onPress={() => void fetchNextPage()}>
          Older events
        </Button>
      )}
    </>
  );
}
