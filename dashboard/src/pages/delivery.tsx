// One delivery as received, with every environment's half side by side; redeliver.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { DeliveryDetails } from "../../../shared/api/sources.ts";
import { ask, path } from "../api/client.ts";
import { delivery as deliveryQuery } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Problem } from "../ui/controls.tsx";
import { Badge, Json, Loading, PageTitle, Panel, Status, When } from "../ui/show.tsx";
import { Explanations } from "./event.tsx";
import { DELIVERY_TONES } from "./source.tsx";

type Half = DeliveryDetails["environments"][number];

export function DeliveryPage() {
  const place = usePlace();
  const { source, delivery: id } = useParams({ from: "/orgs/$org/$env/sources/$source/$delivery" });
  const client = useQueryClient();
  const may = useMay("member");
  const { data: delivery, error } = useQuery(deliveryQuery(place.org, source, id));
  const [failed, setFailed] = useState<unknown>(null);
  const redeliver = (environments?: string[]) =>
    ask("POST", path("/organizations/{}/sources/{}/deliveries/{}/redeliver", place.org, source, id), {
      ...(environments && { environments }),
    }).then(() => {
      setFailed(null);
      return client.invalidateQueries({ queryKey: ["deliveries", place.org] });
    }, setFailed);
  if (error) return <Problem error={error} />;
  if (!delivery) return <Loading />;
  return (
    <>
      <PageTitle
        title={delivery.name ?? "Unnamed delivery"}
        actions={may && <Button onPress={() => redeliver()}>Redeliver to all environments</Button>}
      >
        <Badge tone={DELIVERY_TONES[delivery.status]}>{delivery.status}</Badge> received{" "}
        <When time={delivery.receivedAt} /> · <code className="text-xs break-all">{delivery.id}</code>
      </PageTitle>
      <div className="flex flex-col gap-4">
        <Problem error={failed} />
        {delivery.conflictsWith && (
          <Panel>
            The provider used this delivery's id before for a different body. The delivery is stored but was not routed.
          </Panel>
        )}
        <div className="grid gap-4 md:grid-cols-2">
          {delivery.environments.map((half) => (
            <HalfPanel
              key={half.environment}
              half={half}
              onRedeliver={may ? () => redeliver([half.environment]) : null}
            />
          ))}
        </div>
        <Panel>
          <Json label="Headers" value={delivery.headers} />
        </Panel>
        <Panel>
          <Json label="Body" value={bodyOf(delivery.body)} />
        </Panel>
      </div>
    </>
  );
}

function bodyOf(body: DeliveryDetails["body"]): unknown {
  if (!("text" in body)) return body;
  try {
    return JSON.parse(body.text) as unknown;
  } catch {
    return body.text;
  }
}

function HalfPanel({ half, onRedeliver }: { half: Half; onRedeliver: (() => unknown) | null }) {
  const { org } = usePlace();
  const { environment, state, attempts, nextTryAt, runs, workflows, reached, event } = half;
  const look = lookOf(environment);
  return (
    <section aria-label={environment} className="overflow-hidden rounded-lg border border-line bg-panel">
      <div className={`h-1.5 ${look.band}`} aria-hidden="true" />
      <div className="flex flex-col gap-3 p-4">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <h2 className={`rounded px-2 font-semibold ${look.pill}`}>{look.label}</h2>
          {onRedeliver && <Button onPress={onRedeliver}>Redeliver here</Button>}
        </div>
        <p>
          <Badge tone={state === "accepted" ? "good" : state === "pending" ? "wait" : "bad"}>{state}</Badge>{" "}
          {attempts > 1 && <span className="text-soft">after {attempts} attempts </span>}
          {nextTryAt && (
            <span className="text-soft">
              next attempt <When time={nextTryAt} />
            </span>
          )}
        </p>
        {!reached && <p className="text-soft">The environment did not answer. Reload the page to try again.</p>}
        <ul className="flex flex-col gap-1.5">
          {runs.map((run) => (
            <li key={run.id} className="flex flex-wrap items-center gap-2">
              <Status status={run.status} />
              <span className="data">{run.workflow}</span>
              <Link
                to="/orgs/$org/$env/runs/$run"
                params={{ org, env: environment, run: run.id }}
                className="min-w-0 truncate font-mono text-xs underline"
              >
                {run.id}
              </Link>
            </li>
          ))}
        </ul>
        {runs.length === 0 && state === "accepted" && <p className="text-soft">No runs started</p>}
        {workflows && workflows.length > 0 && <Explanations workflows={workflows} />}
        {state === "accepted" && (
          <Link
            to="/orgs/$org/$env/events/$event"
            params={{ org, env: environment, event }}
            className="self-start underline"
          >
            View event
          </Link>
        )}
      </div>
    </section>
  );
}
