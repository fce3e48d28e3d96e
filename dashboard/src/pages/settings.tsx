// The organization: its environments and their switches, its members and invitations, and the audit log.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Environment } from "../../../shared/api/environments.ts";
import { ask, path } from "../api/client.ts";
import { audit, environments, invitations, members } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Choose, Copy, Field, Problem, Toggle } from "../ui/controls.tsx";
import { Badge, PageTitle, Panel, When } from "../ui/show.tsx";
import { HistorySettings } from "./settings-history.tsx";

export function Settings() {
  const mayManage = useMay("admin");
  return (
    <>
      <PageTitle title="Settings" />
      <div className="flex flex-col gap-4">
        <Environments />
        <HistorySettings />
        <Members />
        {mayManage && <Invitations />}
        {mayManage && <Audit />}
      </div>
    </>
  );
}

function Environments() {
  const { org } = usePlace();
  const client = useQueryClient();
  const may = useMay("admin");
  const { data } = useQuery(environments(org));
  const [slug, setSlug] = useState("");
  const [error, setError] = useState<unknown>(null);
  const renew = () => {
    setError(null);
    return client.invalidateQueries({ queryKey: ["environments", org] });
  };
  const change = (environment: Environment, patch: object) =>
    void ask("PATCH", path("/organizations/{}/environments/{}", org, environment.slug), patch).then(renew, setError);
  return (
    <Panel title="Environments">
      <Problem error={error} />
      <ul className="flex flex-col gap-3">
        {data?.data.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-x-4 gap-y-2">
            <span className={`rounded px-1.5 font-semibold ${lookOf(each.slug).pill}`}>{each.slug}</span>
            <Toggle
              label="Webhooks"
              value={each.receivesWebhooks}
              isDisabled={!may}
              onChange={(receivesWebhooks) => change(each, { receivesWebhooks })}
            />
            <Toggle
              label="Schedules"
              value={each.receivesSchedules}
              isDisabled={!may}
              onChange={(receivesSchedules) => change(each, { receivesSchedules })}
            />
            {!each.inForce && <Badge tone="wait">change pending</Badge>}
          </li>
        ))}
      </ul>
      {may && (
        <form
          className="mt-4 flex flex-wrap items-end gap-2"
          onSubmit={(form: FormEvent) => {
            form.preventDefault();
            const body = { slug, receivesWebhooks: false, receivesSchedules: false };
            ask("POST", path("/organizations/{}/environments", org), body).then(() => {
              setSlug("");
              return renew();
            }, setError);
          }}
        >
          <Field label="Add an environment" placeholder="staging" isRequired value={slug} onChange={setSlug} />
          <Button type="submit">Add</Button>
        </form>
      )}
    </Panel>
  );
}

function Members() {
  const { org } = usePlace();
  const { data, error } = useQuery(members(org));
  return (
    <Panel title="Members">
      <Problem error={error} />
      <ul className="flex flex-col gap-1.5">
        {data?.data.map(({ userId, name, email, role }) => (
          <li key={userId} className="flex flex-wrap items-center gap-2">
            <span className="data font-medium">{name}</span>
            <span className="data text-soft">{email}</span>
            <Badge>{role}</Badge>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Invitations() {
  const { org } = usePlace();
  const client = useQueryClient();
  const { data } = useQuery(invitations(org));
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("member");
  const [made, setMade] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  return (
    <Panel title="Invitations">
      <Problem error={error} />
      <ul className="mb-3 flex flex-col gap-1.5">
        {data?.data.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-2">
            <span className="data">{each.email}</span>
            <Badge>{each.role}</Badge>
            <span className="text-xs text-soft">
              {each.acceptedAt ? "accepted" : "expires"} <When time={each.acceptedAt ?? each.expiresAt} />
            </span>
          </li>
        ))}
      </ul>
      {made && (
        <p className="mb-3 flex flex-wrap items-center gap-2">
          Send this link to the invited person. It is shown only once:{" "}
          <code className="data text-xs break-all">{made}</code>
          <Copy text={made} />
        </p>
      )}
      <form
        className="flex flex-wrap items-end gap-2"
        onSubmit={(form: FormEvent) => {
          form.preventDefault();
          ask<{ token: string }>("POST", path("/organizations/{}/invitations", org), { email, role }).then(
            ({ token }) => {
              setMade(`${location.origin}/invited#${token}`);
              setEmail("");
              setError(null);
              return client.invalidateQueries({ queryKey: ["invitations", org] });
            },
            setError,
          );
        }}
      >
        <Field
          label="Invite"
          type="email"
          placeholder="name@example.com"
          isRequired
          value={email}
          onChange={setEmail}
        />
        <Choose
          label="Role"
          value={role}
          onChange={setRole}
          choices={["viewer", "member", "admin", "owner"].map((id) => ({ id, label: id }))}
        />
        <Button type="submit">Invite</Button>
      </form>
    </Panel>
  );
}

function Audit() {
  const { org } = usePlace();
  const { data } = useQuery(audit(org));
  return (
    <Panel title="Audit log">
      <ul className="flex flex-col gap-1">
        {data?.data.map(({ at, actor, action, subject }) => (
          <li key={`${at} ${action} ${subject}`} className="flex flex-wrap items-baseline gap-2 text-xs">
            <span className="text-soft">
              <When time={at} />
            </span>
            <Badge>{action}</Badge>
            <span className="data min-w-0 break-all">{subject}</span>
            <span className="data text-soft">by {actor}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
