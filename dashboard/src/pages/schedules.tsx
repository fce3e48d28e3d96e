// The schedules of an environment: next times, the switch here, fire now. The page also creates and deletes the
// schedules of the organization.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { ScheduleDetails } from "../../../shared/api/schedule-details.ts";
import type { EmittedEvent } from "../../../shared/api/schedules.ts";
import { ask, path } from "../api/client.ts";
import { environmentKey, environments, schedules } from "../api/queries.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Confirm, Dialog, Field, Problem, Toggle } from "../ui/controls.tsx";
import { formatDuration, formatTime } from "../ui/format.ts";
import { Badge, Empty, Loading, PageTitle, When } from "../ui/show.tsx";

export function Schedules() {
  const place = usePlace();
  const { data, error } = useQuery(schedules(place));
  const may = useMay("member");
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageTitle
        title="Schedules"
        actions={
          may && (
            <Button look="primary" onPress={() => setAdding(true)}>
              Add schedule
            </Button>
          )
        }
      >
        Schedules of this environment's workflows, and of the organization, which emit into every environment
      </PageTitle>
      <AllSwitch />
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No schedules yet">
          Register a workflow with <code>scheduleEvent</code>, or add a schedule of the organization.
        </Empty>
      )}
      <ul className="flex flex-col gap-2">
        {data?.data.map((each) => (
          <Row key={each.id} schedule={each} />
        ))}
      </ul>
      {adding && <Add onClose={() => setAdding(false)} />}
    </>
  );
}

function AllSwitch() {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("admin");
  const { data } = useQuery(environments(place.org));
  const [error, setError] = useState<unknown>(null);
  const environment = data?.data.find(({ slug }) => slug === place.env);
  if (!environment) return null;
  const change = async (receivesSchedules: boolean) => {
    try {
      await ask("PATCH", path("/organizations/{}/environments/{}", place.org, place.env), { receivesSchedules });
      await client.invalidateQueries({ queryKey: ["environments", place.org] });
      await client.invalidateQueries({ queryKey: environmentKey(place) });
      setError(null);
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <div className="mb-4 flex flex-col gap-2">
      <Toggle
        label={`Schedules emit into ${place.env}`}
        value={environment.receivesSchedules}
        isDisabled={!may}
        onChange={(value) => void change(value)}
      />
      <Problem error={error} />
    </div>
  );
}

function Row({ schedule }: { schedule: ScheduleDetails }) {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("member");
  const [error, setError] = useState<unknown>(null);
  const [fired, setFired] = useState<EmittedEvent | null>(null);
  const [deleting, setDeleting] = useState(false);
  const { id, workflow, name, cron, timezone, everySeconds, event, enabled, lastRunAt, nextTimes } = schedule;
  const title = name ?? workflow ?? id;
  const address = path("/organizations/{}/environments/{}/schedules/{}", place.org, place.env, id);
  const renew = () => client.invalidateQueries({ queryKey: environmentKey(place) });
  return (
    <li className="flex flex-col gap-2 rounded-lg border border-line bg-panel p-3" aria-label={title}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="data font-semibold">{title}</span>
        <Badge>{workflow === null ? "organization" : "workflow"}</Badge>
        <code className="data text-xs">
          {cron === null ? `every ${formatDuration((everySeconds ?? 0) * 1_000)}` : `${cron} (${timezone})`}
        </code>
        <span className="text-xs text-soft">
          emits <span className="data">{event}</span> · last fired <When time={lastRunAt} />
        </span>
        <span className="ml-auto flex flex-wrap items-center gap-2">
          <Toggle
            hidden
            label={`${title} in ${place.env}`}
            value={enabled}
            isDisabled={!may}
            onChange={(value) => void ask("PATCH", address, { enabled: value }).then(renew, setError)}
          />
          {may && (
            <Button
              onPress={() =>
                ask<EmittedEvent>("POST", `${address}/fire`).then((made) => {
                  setFired(made);
                  setError(null);
                  return renew();
                }, setError)
              }
            >
              Fire now
            </Button>
          )}
          {may && workflow === null && (
            <Button look="quiet" aria-label={`Delete ${title}`} onPress={() => setDeleting(true)}>
              Delete
            </Button>
          )}
        </span>
      </div>
      <p className="text-xs text-soft">
        {nextTimes.length === 0 ? "Disabled: not due" : `Next: ${nextTimes.map(formatTime).join(" · ")}`}
      </p>
      <Problem error={error} />
      {fired && (
        <p role="status" className="text-sm">
          Fired as a test. {fired.runs.length === 0 && "No workflow here listens for its event."}
          {fired.runs.map((run) => (
            <Link
              key={run.id}
              to="/orgs/$org/$env/runs/$run"
              params={{ ...place, run: run.id }}
              className="mr-2 underline"
            >
              Run of {run.workflow}
            </Link>
          ))}
        </p>
      )}
      {deleting && (
        <Confirm
          title={`Delete ${title}?`}
          action="Delete"
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await ask("DELETE", path("/organizations/{}/schedules/{}", place.org, id));
            await renew();
          }}
        >
          The schedule stops in every environment. This cannot be undone.
        </Confirm>
      )}
    </li>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const [fields, setFields] = useState({
    name: "",
    cron: "0 9 * * MON-FRI",
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    event: "",
    payload: "{}",
  });
  const [error, setError] = useState<unknown>(null);
  const field = (name: keyof typeof fields) => ({
    value: fields[name],
    onChange: (value: string) => setFields({ ...fields, [name]: value }),
    isRequired: true,
  });
  return (
    <Dialog title="Add schedule" onClose={onClose}>
      {(close) => (
        <form
          className="flex flex-col gap-3"
          onSubmit={async (form: FormEvent) => {
            form.preventDefault();
            try {
              const payload = JSON.parse(fields.payload) as unknown;
              await ask("POST", path("/organizations/{}/schedules", place.org), { ...fields, payload });
              await client.invalidateQueries({ queryKey: environmentKey(place) });
              close();
            } catch (reason) {
              setError(reason instanceof SyntaxError ? new Error("The payload is not valid JSON.") : reason);
            }
          }}
        >
          <Problem error={error} />
          <Field label="Name" {...field("name")} />
          <Field label="Cron" hint="minute, hour, day of month, month, day of week" {...field("cron")} />
          <Field label="Time zone" {...field("timezone")} />
          <Field label="Event" hint="Name of the event to emit into every environment" {...field("event")} />
          <Field label="Payload" multiline rows={4} {...field("payload")} />
          <div className="flex justify-end gap-2">
            <Button onPress={close}>Cancel</Button>
            <Button type="submit" look="primary">
              Add
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
