// Runs a workflow with a payload of the person's own, in the environment chosen at the top.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import type { EmittedEvent } from "../../../shared/api/schedules.ts";
import type { WorkflowDetails } from "../../../shared/api/workflows.ts";
import { ask, path } from "../api/client.ts";
import { environmentKey, run as runQuery, workflows } from "../api/queries.ts";
import { lookOf } from "../shell/environments.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { Button, Choose, Field, Problem, Toggle } from "../ui/controls.tsx";
import { exampleOf } from "../ui/example.ts";
import { hasForm, isObject, SchemaForm } from "../ui/schema-form.tsx";
import { Badge, Empty, Loading, PageTitle } from "../ui/show.tsx";

export function Test() {
  const place = usePlace();
  const search = useSearch({ from: "/orgs/$org/$env/test" });
  const navigate = useNavigate();
  const { data, error } = useQuery(workflows(place));
  const copied = useQuery({ ...runQuery(place, search.run ?? ""), enabled: search.run !== undefined });
  const registered = data?.data.filter(({ version }) => version !== null) ?? [];
  const workflow = registered.find(({ slug }) => slug === search.workflow) ?? registered[0];
  return (
    <>
      <PageTitle title="Test a workflow">
        A test run in <strong className={`rounded px-1.5 ${lookOf(place.env).pill}`}>{place.env}</strong>. Filters are
        skipped.
      </PageTitle>
      <Problem error={error ?? copied.error} />
      {(!data || copied.isLoading) && !error && <Loading />}
      {data && registered.length === 0 && <Empty title="No workflows registered yet" />}
      {workflow && !copied.isLoading && (
        <div className="flex max-w-2xl flex-col gap-4">
          <Choose
            label="Workflow"
            value={workflow.slug}
            choices={registered.map(({ slug, name }) => ({ id: slug, label: `${name} (${slug})` }))}
            onChange={(slug) =>
              void navigate({ to: "/orgs/$org/$env/test", params: place, search: { workflow: slug } })
            }
          />
          <Form
            key={`${place.env} ${workflow.slug} ${search.run}`}
            workflow={workflow}
            payload={copied.data ? copied.data.event.payload : exampleFor(workflow)}
          />
        </div>
      )}
    </>
  );
}

function schemaOf({ trigger }: WorkflowDetails): unknown {
  return ((trigger ?? {}) as { schema?: unknown }).schema;
}

function exampleFor(workflow: WorkflowDetails): unknown {
  const { type } = (workflow.trigger ?? {}) as { type?: string };
  if (type === "SCHEDULE") return { scheduledTime: new Date().toISOString() };
  return exampleOf(schemaOf(workflow));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function Form({ workflow, payload }: { workflow: WorkflowDetails; payload: unknown }) {
  const place = usePlace();
  const navigate = useNavigate();
  const client = useQueryClient();
  const may = useMay("member");
  const [text, setText] = useState(() => JSON.stringify(payload, null, 2) ?? "{}");
  const schema = schemaOf(workflow);
  const [asForm, setAsForm] = useState(hasForm(schema));
  const parsedText = parse(text);
  const object = isObject(parsedText) ? parsedText : null;
  const [error, setError] = useState<unknown>(null);
  const serving = workflow.hosts.some(({ standing }) => standing === "serving");
  const submit = async (form: FormEvent) => {
    form.preventDefault();
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (reason) {
      setError(new Error(`The payload is not valid JSON: ${reason instanceof Error ? reason.message : ""}`));
      return;
    }
    try {
      const { runs } = await ask<EmittedEvent>(
        "POST",
        path("/organizations/{}/environments/{}/workflows/{}/test", place.org, place.env, workflow.slug),
        { payload: parsed },
      );
      await client.invalidateQueries({ queryKey: environmentKey(place) });
      const [first] = runs;
      if (first) await navigate({ to: "/orgs/$org/$env/runs/$run", params: { ...place, run: first.id } });
    } catch (reason) {
      setError(reason);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <Problem error={error} />
      {hasForm(schema) && (
        <Toggle label="Fill in a form" value={asForm && object !== null} isDisabled={!object} onChange={setAsForm} />
      )}
      {asForm && object ? (
        <SchemaForm schema={schema} value={object} onChange={(value) => setText(JSON.stringify(value, null, 2))} />
      ) : (
        <Field
          label="Payload"
          hint="JSON. Starts with an example from the workflow's schema, if it has one."
          multiline
          rows={14}
          value={text}
          onChange={setText}
        />
      )}
      {!serving && (
        <p>
          <Badge tone="wait">no host</Badge> No host serves this workflow here, so the run will wait.
        </p>
      )}
      {may ? (
        <Button type="submit" look="primary" className="self-start">
          Run test
        </Button>
      ) : (
        <p className="text-soft">Running a test requires the member role.</p>
      )}
    </form>
  );
}
