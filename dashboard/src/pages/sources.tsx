// The webhook sources of the organization: one URL each, for every environment that receives webhooks.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { Source } from "../../../shared/api/sources.ts";
import { ask, path } from "../api/client.ts";
import { sources } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Copy, Dialog, Field, Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, When } from "../ui/show.tsx";

export function Sources() {
  const place = usePlace();
  const { data, error } = useQuery(sources(place.org));
  const may = useMay("admin");
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageTitle
        title="Webhooks"
        actions={
          may && (
            <Button look="primary" onPress={() => setAdding(true)}>
              Add webhook source
            </Button>
          )
        }
      >
        A provider posts each delivery once; every environment gets its copy.
      </PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data?.data.length === 0 && (
        <Empty title="No webhook sources yet">
          A workflow with a webhook trigger creates its source when it registers.
        </Empty>
      )}
      <ul className="flex flex-col gap-2">
        {data?.data.map((source) => (
          <li key={source.id} className="flex flex-col gap-2 rounded-lg border border-line bg-panel p-3">
            <div className="flex flex-wrap items-center gap-2">
              <Link
                to="/orgs/$org/$env/sources/$source"
                params={{ ...place, source: source.id }}
                className="data font-semibold underline"
              >
                {source.service}
              </Link>
              <SecretBadge source={source} />
              {source.environments.map((env) => (
                <span key={env} className={`rounded px-1.5 text-xs ${lookOf(env).pill}`}>
                  {env}
                </span>
              ))}
              <span className="text-xs text-soft">
                last delivery <When time={source.lastDeliveryAt} />
              </span>
            </div>
            <div className="flex items-center gap-2">
              <code className="data min-w-0 flex-1 truncate text-xs">{source.url}</code>
              <Copy text={source.url} label="Copy URL" />
            </div>
          </li>
        ))}
      </ul>
      {adding && <Add onClose={() => setAdding(false)} />}
    </>
  );
}

export function SecretBadge({ source }: { source: Source }) {
  if (source.verification.scheme === "none") return <Badge tone="bad">not verified</Badge>;
  if (source.secrets === 0) return <Badge tone="wait">secret missing: deliveries are refused</Badge>;
  return <Badge tone="good">{source.verification.scheme}</Badge>;
}

function Add({ onClose }: { onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [service, setService] = useState("");
  const [secret, setSecret] = useState("");
  const [error, setError] = useState<unknown>(null);
  const submit = async (form: FormEvent) => {
    form.preventDefault();
    try {
      const made = await ask<Source>("POST", path("/organizations/{}/sources", place.org), {
        service: service.trim(),
        secrets: secret === "" ? [] : [secret],
      });
      await client.invalidateQueries({ queryKey: ["sources", place.org] });
      await navigate({ to: "/orgs/$org/$env/sources/$source", params: { ...place, source: made.id } });
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <Dialog title="Add webhook source" onClose={onClose}>
      {(close) => (
        <form onSubmit={submit} className="flex flex-col gap-4">
          <Problem error={error} />
          <Field
            label="Service"
            hint="github, stripe, slack, shopify, gitlab, linear, or a name of your own"
            isRequired
            value={service}
            onChange={setService}
          />
          <Field
            label="Secret"
            type="password"
            hint="The provider's signing secret. You can add it later; until then every delivery is refused."
            value={secret}
            onChange={setSecret}
          />
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
