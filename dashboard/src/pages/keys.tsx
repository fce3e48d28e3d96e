// The API keys of an environment: create, show, rotate, revoke. A key's text is fetched only on request.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Key, KeyWithText } from "../../../shared/api/environments.ts";
import { ask, path } from "../api/client.ts";
import { keys, type Place } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { showKey } from "../shell/shell.tsx";
import { Button, Choose, Confirm, Copy, Dialog, Field, Problem } from "../ui/controls.tsx";
import { Badge, Empty, Loading, PageTitle, When } from "../ui/show.tsx";

const address = ({ org, env }: Place) => path("/organizations/{}/environments/{}/keys", org, env);
const SCOPES = [
  { id: "all", label: "Full access" },
  { id: "events:send", label: "Send events" },
  { id: "workflows:connect", label: "Connect workflows" },
  { id: "runs:read", label: "Read runs" },
];

export function Keys() {
  const place = usePlace();
  const may = useMay("admin");
  const { data, error } = useQuery(keys(place));
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageTitle
        title="API keys"
        actions={
          may && (
            <Button look="primary" onPress={() => setAdding(true)}>
              Create API key
            </Button>
          )
        }
      >
        The key decides the environment of a request. These keys are for{" "}
        <strong className={`rounded px-1.5 ${lookOf(place.env).pill}`}>{place.env}</strong>.
      </PageTitle>
      <Problem error={error} />
      {!data && !error && <Loading />}
      {data?.data.length === 0 && <Empty title="No API keys yet" />}
      <ul className="flex flex-col gap-2">
        {data?.data.map((key) => (
          <Row key={key.id} apiKey={key} />
        ))}
      </ul>
      {adding && <Create onClose={() => setAdding(false)} />}
    </>
  );
}

function Row({ apiKey: key }: { apiKey: Key }) {
  const place = usePlace();
  const client = useQueryClient();
  const may = useMay("admin");
  const [shown, setShown] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [asking, setAsking] = useState<"revoke" | "rotate" | null>(null);
  const renew = () => client.invalidateQueries({ queryKey: ["keys", place.org, place.env] });
  const revoked = key.revokedAt !== null;
  return (
    <li aria-label={key.name} className="flex flex-col gap-2 rounded-lg border border-line bg-panel p-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="data font-semibold">{key.name}</span>
        {revoked ? (
          <Badge tone="bad">revoked</Badge>
        ) : (
          (key.scopes === "all" ? ["full access"] : key.scopes).map((scope) => <Badge key={scope}>{scope}</Badge>)
        )}
        {key.replacedBy && <Badge tone="wait">replaced</Badge>}
        <span className="text-xs text-soft">
          created <When time={key.createdAt} /> · last used <When time={key.lastUsedAt} />
          {key.expiresAt && (
            <>
              {" "}
              · expires <When time={key.expiresAt} />
            </>
          )}
        </span>
        {may && !revoked && (
          <span className="ml-auto flex flex-wrap gap-2">
            <Button onPress={() => (shown ? setShown(null) : showKey(place, key.id).then(setShown, setError))}>
              {shown ? "Hide" : "Show"}
            </Button>
            <Copy text={() => showKey(place, key.id)} />
            <Button onPress={() => setAsking("rotate")}>Rotate</Button>
            <Button look="danger" onPress={() => setAsking("revoke")}>
              Revoke
            </Button>
          </span>
        )}
      </div>
      {shown && <code className="data text-xs break-all">{shown}</code>}
      <Problem error={error} />
      {asking === "revoke" && (
        <Confirm
          title={`Revoke ${key.name}?`}
          action="Revoke"
          onClose={() => setAsking(null)}
          onConfirm={async () => {
            await ask("DELETE", `${address(place)}/${key.id}`);
            setShown(null);
            await renew();
          }}
        >
          Requests with this key are refused from now on, and its connected hosts are disconnected. This cannot be
          undone.
        </Confirm>
      )}
      {asking === "rotate" && <Rotate apiKey={key} onClose={() => setAsking(null)} />}
    </li>
  );
}

function Rotate({ apiKey: key, onClose }: { apiKey: Key; onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const [days, setDays] = useState("1");
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={`Rotate ${key.name}`} onClose={onClose}>
      {(close) =>
        made ? (
          <>
            <p>New key:</p>
            <code className="data text-xs break-all">{made}</code>
            <div className="flex justify-end gap-2">
              <Copy text={made} />
              <Button look="primary" onPress={close}>
                Done
              </Button>
            </div>
          </>
        ) : (
          <form
            className="flex flex-col gap-4"
            onSubmit={async (form: FormEvent) => {
              form.preventDefault();
              try {
                const answer = await ask<{ key: KeyWithText }>("POST", `${address(place)}/${key.id}/rotate`, {
                  overlapDays: Number(days),
                });
                setMade(answer.key.key);
                await client.invalidateQueries({ queryKey: ["keys", place.org, place.env] });
              } catch (reason) {
                setError(reason);
              }
            }}
          >
            <p>A new key replaces this one. The old key stays valid while you roll out the new one.</p>
            <Choose
              label="Old key stays valid for"
              value={days}
              onChange={setDays}
              choices={["0", "1", "2", "3", "5", "7"].map((id) => ({
                id,
                label: id === "0" ? "no time (revoke now)" : id === "1" ? "1 day" : `${id} days`,
              }))}
            />
            <Problem error={error} />
            <div className="flex justify-end gap-2">
              <Button onPress={close}>Cancel</Button>
              <Button type="submit" look="primary">
                Rotate
              </Button>
            </div>
          </form>
        )
      }
    </Dialog>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const place = usePlace();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState("all");
  const [end, setEnd] = useState("");
  const [made, setMade] = useState<KeyWithText | null>(null);
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={`Create API key for ${place.env}`} onClose={onClose}>
      {(close) =>
        made ? (
          <>
            <p>
              Created <strong className="data">{made.name}</strong>. You can show the key again later.
            </p>
            <code className="data text-xs break-all">{made.key}</code>
            <div className="flex justify-end gap-2">
              <Copy text={made.key} />
              <Button look="primary" onPress={close}>
                Done
              </Button>
            </div>
          </>
        ) : (
          <form
            className="flex flex-col gap-4"
            onSubmit={async (form: FormEvent) => {
              form.preventDefault();
              try {
                const answer = await ask<KeyWithText>("POST", address(place), {
                  name,
                  scopes: scope === "all" ? "all" : [scope],
                  expiresAt: end === "" ? null : new Date(end).toISOString(),
                });
                setMade(answer);
                await client.invalidateQueries({ queryKey: ["keys", place.org, place.env] });
              } catch (reason) {
                setError(reason);
              }
            }}
          >
            <Problem error={error} />
            <Field label="Name" isRequired value={name} onChange={setName} />
            <Choose label="Permissions" choices={SCOPES} value={scope} onChange={setScope} />
            <Field
              label="Expires"
              type="datetime-local"
              value={end}
              onChange={setEnd}
              hint="Leave empty for no expiry."
            />
            <div className="flex justify-end gap-2">
              <Button onPress={close}>Cancel</Button>
              <Button type="submit" look="primary">
                Create
              </Button>
            </div>
          </form>
        )
      }
    </Dialog>
  );
}
