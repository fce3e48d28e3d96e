// Retention of the current environment, and the state of its archive.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Archived } from "../../../shared/api/history.ts";
import { ask, path } from "../api/client.ts";
import { environments, history } from "../api/queries.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Field, Problem } from "../ui/controls.tsx";
import { Badge, Facts, Panel, When } from "../ui/show.tsx";

const GB = 1024 ** 3;

export function HistorySettings() {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("admin");
  const { data: all } = useQuery(environments(place.org));
  const { data: state } = useQuery(history(place));
  const here = all?.data.find(({ slug }) => slug === place.env);
  const [days, setDays] = useState<{ retentionDays?: string; historyDays?: string }>({});
  const [error, setError] = useState<unknown>(null);
  const [said, setSaid] = useState("");
  const at = path("/organizations/{}/environments/{}", place.org, place.env);
  const done = (what: string) => {
    setError(null);
    setSaid(what);
    void client.invalidateQueries({ queryKey: ["environments", place.org] });
    return client.invalidateQueries({ queryKey: history(place).queryKey });
  };
  if (here === undefined || state === undefined) return null;
  const { backlog, archivedAt, nextAt, failures, storageBytes, storageMaxBytes } = state;
  const retentionDays = days.retentionDays ?? String(here.retentionDays);
  const historyDays = days.historyDays ?? String(here.historyDays);
  return (
    <Panel
      title={`History (${place.env})`}
      actions={
        may && (
          <Button
            onPress={() =>
              void ask<Archived>("POST", `${at}/history/archive`).then(
                ({ runs, events }) => done(`Archived ${runs} runs and ${events} events.`),
                setError,
              )
            }
          >
            Archive now
          </Button>
        )
      }
    >
      <Problem error={error} />
      <Facts
        facts={[
          ["Waiting for archive", `${backlog.runs} runs, ${backlog.events} events`],
          ["Last archived", archivedAt === null ? "never" : <When time={archivedAt} />],
          ["Next archive", nextAt === null ? "when there is new history" : <When time={nextAt} />],
          ["Storage used", `${((100 * storageBytes) / storageMaxBytes).toFixed(2)} % of ${storageMaxBytes / GB} GB`],
        ]}
      />
      {failures > 0 && (
        <Badge tone="bad">
          {failures === 1 ? "Last archive pass failed" : `Last ${failures} archive passes failed`}
        </Badge>
      )}
      <form
        className="mt-4 flex flex-wrap items-end gap-2"
        onSubmit={(form: FormEvent) => {
          form.preventDefault();
          const patch = { retentionDays: Number(retentionDays), historyDays: Number(historyDays) };
          ask("PATCH", at, patch).then(() => {
            setDays({});
            return done("Saved.");
          }, setError);
        }}
      >
        <Field
          label="Days kept in the environment"
          type="number"
          isDisabled={!may}
          value={retentionDays}
          onChange={(value) => setDays({ ...days, retentionDays: value })}
        />
        <Field
          label="Days kept in Postgres"
          type="number"
          isDisabled={!may}
          value={historyDays}
          onChange={(value) => setDays({ ...days, historyDays: value })}
        />
        {may && <Button type="submit">Save</Button>}
        <span role="status">{said}</span>
      </form>
    </Panel>
  );
}
