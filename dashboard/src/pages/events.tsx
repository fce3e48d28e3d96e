// The events of an environment, newest first, with the runs of each.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { TriggerKind } from "../../../shared/wire/reference/triggers.ts";
import { events } from "../api/queries.ts";
import { usePlace } from "../shell/place.ts";
import { Button, Choose, Field, Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, Status, When } from "../ui/show.tsx";

export const KIND_LABELS = { CUSTOM_EVENT: "event", WEBHOOK: "webhook", SCHEDULE: "schedule" } as const;
const KINDS = Object.keys(KIND_LABELS) as TriggerKind[];

export function Events() {
  const place = usePlace();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [kind, setKind] = useState<TriggerKind | undefined>(undefined);
  const [id, setId] = useState("");
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    events(place, name.trim() || undefined, kind),
  );
  const shown = data?.pages.flatMap((page) => page.data) ?? [];
  const open = (form: FormEvent) => {
    form.preventDefault();
    const event = id.trim();
    if (event !== "") void navigate({ to: "/orgs/$org/$env/events/$event", params: { ...place, event } });
  };
  return (
    <>
      <PageTitle title="Events">All events received by this environment</PageTitle>
      <search aria-label="Events" className="mb-3 flex flex-wrap items-end gap-3">
        <Field label="Name" value={name} onChange={setName} placeholder="user.created" />
        <Choose
          label="Kind"
          value={kind ?? "all"}
          choices={[
            { id: "all", label: "All kinds" },
            ...Object.entries(KIND_LABELS).map(([each, label]) => ({ id: each, label })),
          ]}
          onChange={(chosen) => setKind(KINDS.find((each) => each === chosen))}
        />
        <form onSubmit={open} className="flex items-end gap-2">
          <Field label="Event id" value={id} onChange={setId} placeholder="order-1, evt_…" />
          <Button type="submit">Open</Button>
        </form>
      </search>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data && shown.length === 0 && <Empty title="No events match these filters" />}
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
                  {event.runCount === 0 && (event.deliverAt ? "delayed" : "no runs started")}
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
          Load older events
        </Button>
      )}
    </>
  );
}
