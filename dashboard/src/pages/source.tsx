// One webhook source: its URL and secrets, its workflows, and its deliveries with their state in each environment.
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Delivery, Redelivered, SourceDetails } from "../../../shared/api/sources.ts";
import { ask, path } from "../api/client.ts";
import { deliveries, source as sourceQuery } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Choose, Confirm, Copy, Field, Problem } from "../ui/controls.tsx";
import { Badge, Empty, Facts, Loading, PageTitle, Panel, type Tone, When } from "../ui/show.tsx";
import { SecretBadge } from "./sources.tsx";

export const DELIVERY_TONES: Record<Delivery["status"], Tone> = {
  pending: "wait",
  delivered: "good",
  parked: "bad",
  refused: "bad",
  conflict: "wait",
};
const DELIVERY_STATUSES = Object.keys(DELIVERY_TONES) as Delivery["status"][];

export function SourcePage() {
  const place = usePlace();
  const { source: id } = useParams({ from: "/orgs/$org/$env/sources/$source" });
  const { data: source, error } = useQuery(sourceQuery(place.org, id));
  if (error) return <Problem error={error} />;
  if (!source) return <Loading />;
  return (
    <>
      <PageTitle title={source.service}>
        <SecretBadge source={source} />
      </PageTitle>
      <div className="flex flex-col gap-4">
        <Panel title="URL">
          <div className="flex items-center gap-2">
            <code className="data min-w-0 flex-1 text-xs break-all">{source.url}</code>
            <Copy text={source.url} />
          </div>
        </Panel>
        <Secrets source={source} />
        <Panel title="Settings">
          <Facts
            facts={[
              ["Verification", source.verification.scheme],
              ["Created", <When key="m" time={source.createdAt} />],
              ["Environments", source.environments.join(", ") || "none"],
            ]}
          />
          <ul className="mt-3 flex flex-col gap-1.5">
            {source.workflows.map(({ environment, workflow, differs }) => (
              <li key={`${environment} ${workflow}`} className="flex flex-wrap items-center gap-2">
                <span className={`rounded px-1.5 text-xs ${lookOf(environment).pill}`}>{environment}</span>
                <span className="data">{workflow}</span>
                {differs && <Badge tone="wait">expects a different verification</Badge>}
              </li>
            ))}
          </ul>
        </Panel>
        <Deliveries source={id} />
      </div>
    </>
  );
}

function Secrets({ source }: { source: SourceDetails }) {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("admin");
  const [shown, setShown] = useState<readonly string[] | null>(null);
  const [secret, setSecret] = useState("");
  const [error, setError] = useState<unknown>(null);
  const address = path("/organizations/{}/sources/{}", place.org, source.id);
  if (!may) return null;
  const show = () => ask<{ secrets: string[] }>("POST", `${address}/show`);
  /** The first secret is the newest. The provider signs with one; both are valid during its change. */
  const put = async (secrets: readonly string[]) => {
    try {
      await ask("PATCH", address, { secrets });
      setSecret("");
      setShown(null);
      setError(null);
      await client.invalidateQueries({ queryKey: ["sources", place.org] });
    } catch (reason) {
      setError(reason);
    }
  };
  const add = async (form: FormEvent) => {
    form.preventDefault();
    try {
      await put([secret, ...(await show()).secrets].slice(0, 2));
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <Panel
      title={`Secrets (${source.secrets})`}
      actions={
        shown === null ? (
          <Button
            isDisabled={source.secrets === 0}
            onPress={() => show().then(({ secrets }) => setShown(secrets), setError)}
          >
            Show
          </Button>
        ) : (
          <Button onPress={() => setShown(null)}>Hide</Button>
        )
      }
    >
      <Problem error={error} />
      {shown?.map((text) => (
        <p key={text} className="mb-2 flex items-center gap-2">
          <code className="data min-w-0 flex-1 text-xs break-all">{text}</code>
          <Copy text={text} />
        </p>
      ))}
      {source.secrets > 1 && (
        <p className="mb-3 flex flex-wrap items-center gap-3">
          Both secrets are valid, the new one and the previous one.
          <Button
            onPress={async () => {
              const [newest] = await show().then(
                ({ secrets }) => secrets,
                (reason: unknown) => {
                  setError(reason);
                  return [];
                },
              );
              if (newest !== undefined) await put([newest]);
            }}
          >
            Remove previous secret
          </Button>
        </p>
      )}
      <form onSubmit={add} className="flex flex-wrap items-end gap-2">
        <Field
          label="New secret"
          type="password"
          isRequired
          value={secret}
          onChange={setSecret}
          hint="To rotate: add the new secret, set it at the provider, then remove the previous one."
        />
        <Button type="submit">Add</Button>
      </form>
    </Panel>
  );
}

function Deliveries({ source }: { source: string }) {
  const place = usePlace();
  const [status, setStatus] = useState<Delivery["status"] | undefined>(undefined);
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery(deliveries(place.org, source, status));
  const shown = data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Panel
      title="Deliveries of the last 7 days"
      actions={
        <Choose
          label="Delivery status"
          hidden
          value={status ?? "all"}
          choices={[
            { id: "all", label: "All statuses" },
            ...DELIVERY_STATUSES.map((each) => ({ id: each, label: each })),
          ]}
          onChange={(chosen) => setStatus(DELIVERY_STATUSES.find((each) => each === chosen))}
        />
      }
    >
      <Problem error={error} />
      {status !== undefined && shown.length > 0 && <RedeliverAll source={source} status={status} />}
      {data && shown.length === 0 && status === undefined && (
        <Empty title="No deliveries yet">Enter the URL above at the provider, or post to it yourself.</Empty>
      )}
      {data && shown.length === 0 && status !== undefined && <Empty title={`No deliveries with status ${status}`} />}
      <ul className="flex flex-col gap-1.5">
        {shown.map((delivery) => (
          <li key={delivery.id}>
            <Link
              to="/orgs/$org/$env/sources/$source/$delivery"
              params={{ ...place, source, delivery: delivery.id }}
              className="flex flex-wrap items-center gap-2 rounded-md border border-line px-3 py-2 no-underline hover:border-accent"
            >
              <Badge tone={DELIVERY_TONES[delivery.status]}>{delivery.status}</Badge>
              <span className="data min-w-0 flex-1 truncate font-medium">{delivery.name ?? "unnamed"}</span>
              {delivery.environments.map(({ environment, state }) => (
                <span key={environment} className="flex items-center gap-1 text-xs">
                  <span className={`rounded px-1.5 ${lookOf(environment).pill}`}>{environment}</span> {state}
                </span>
              ))}
              <span className="text-xs text-soft">
                <When time={delivery.receivedAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <Button className="mt-3" onPress={() => void fetchNextPage()}>
          Load older deliveries
        </Button>
      )}
    </Panel>
  );
}

/** Redelivers all deliveries of this status, a part at a time, until all were seen. */
function RedeliverAll({ source, status }: { source: string; status: Delivery["status"] }) {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("member");
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState("");
  if (!may) return null;
  const redeliver = async () => {
    let count = 0;
    let cursor: string | null = null;
    do {
      const done: Redelivered = await ask("POST", path("/organizations/{}/sources/{}/redeliver", place.org, source), {
        status,
        ...(cursor !== null && { cursor }),
      });
      count += done.ids.length;
      cursor = done.next;
    } while (cursor !== null);
    setSaid(count === 1 ? "1 delivery queued for redelivery." : `${count} deliveries queued for redelivery.`);
    await client.invalidateQueries({ queryKey: ["deliveries", place.org] });
  };
  return (
    <p className="mb-3 flex flex-wrap items-center gap-3">
      <Button onPress={() => setAsking(true)}>Redeliver {status} deliveries</Button>
      <span role="status">{said}</span>
      {asking && (
        <Confirm
          title={`Redeliver ${status} deliveries?`}
          action="Redeliver"
          onClose={() => setAsking(false)}
          onConfirm={redeliver}
        >
          An environment that already accepted a delivery gets it again as a new event, and its workflows run again.
        </Confirm>
      )}
    </p>
  );
}
