// The steps to the first run. The page notices by itself when a host connects and when a run has ended.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Activity } from "../../../shared/api/activity.ts";
import { environmentKey, keys, runsPage } from "../api/queries.ts";
import { useMay, usePlace } from "../shell/place.ts";
import { showKey } from "../shell/shell.tsx";
import { Button, Copy, Problem } from "../ui/controls.tsx";
import { Badge, Panel, Status } from "../ui/show.tsx";

const WORKFLOW = `import { Trigger, customEvent } from "@trigger.dev/sdk";
import { z } from "zod";

new Trigger({
  id: "basic-starter",
  name: "Basic Starter",
  on: customEvent({ name: "basic.starter", schema: z.object({ id: z.string() }) }),
  run: async (event, ctx) => {
    await ctx.logger.info(\`Hello from \${ctx.environment}\`);
  },
}).listen();`;

export function FirstRun({ activity, onDone }: { activity: Activity; onDone: () => void }) {
  const place = usePlace();
  const { data: newest } = useQuery({
    queryKey: [...environmentKey(place), "first-run"],
    queryFn: () => runsPage(place, {}, null, 1),
  });
  const run = newest?.data[0];
  const ended = run?.finishedAt !== undefined;
  const may = useMay("admin");
  const { data } = useQuery(keys(place));
  const key = data?.data.find(({ revokedAt, scopes }) => revokedAt === null && scopes === "all");
  const [shown, setShown] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const variables = (text: string) =>
    [
      `export TRIGGER_API_KEY=${text}`,
      `export TRIGGER_API_URL=${location.origin}`,
      `export TRIGGER_WSS_URL=${location.origin.replace(/^http/, "ws")}/ws`,
    ].join("\n");
  const send = `curl ${location.origin}/api/v1/events -H "Authorization: Bearer $TRIGGER_API_KEY" \\
  -H "Content-Type: application/json" -d '{"event":{"name":"basic.starter","payload":{"id":"1"}}}'`;
  return (
    <div className="mb-4">
      <Panel title="Your first run">
        <ol className="flex flex-col gap-5">
          <Step number={1} done={false} title="Set the environment variables of your process">
            <Code text={variables(shown ?? `trigger_${place.env}_••••••`)} />
            <Problem error={error} />
            {may && key && (
              <div className="flex gap-2">
                {shown === null && (
                  <Button onPress={() => showKey(place, key.id).then(setShown, setError)}>Show the key</Button>
                )}
                <Copy label="Copy with the key" text={async () => variables(shown ?? (await showKey(place, key.id)))} />
              </div>
            )}
          </Step>
          <Step
            number={2}
            done={activity.hosts > 0}
            title={activity.hosts > 0 ? "A host is connected" : "Run a workflow; waiting for a host to connect …"}
          >
            <Code text={WORKFLOW} />
            <div>
              <Copy text={WORKFLOW} />
            </div>
          </Step>
          <Step
            number={3}
            done={ended}
            title={
              ended
                ? "Run finished"
                : run
                  ? "Running; waiting for the run to finish …"
                  : "Send an event; waiting for the first run …"
            }
          >
            {run && (
              <p className="flex flex-wrap items-center gap-2">
                <Status status={run.status} />
                <Link
                  to="/orgs/$org/$env/runs/$run"
                  params={{ ...place, run: run.id }}
                  className="font-medium underline"
                >
                  View the run of {run.workflow.name}
                </Link>
                {ended && <Button onPress={onDone}>Done</Button>}
              </p>
            )}
            <Code text={send} />
            <div>
              <Copy text={send} />
            </div>
          </Step>
        </ol>
      </Panel>
    </div>
  );
}

function Step({
  number,
  done,
  title,
  children,
}: {
  number: number;
  done: boolean;
  title: string;
  children: React.ReactNode;
}) {
  return (
    <li className="flex flex-col gap-2">
      <p aria-live="polite" className="font-medium">
        <Badge tone={done ? "good" : "none"}>{done ? "✓ done" : `Step ${number}`}</Badge> {title}
      </p>
      {children}
    </li>
  );
}

function Code({ text }: { text: string }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach it to scroll.
      tabIndex={0}
      className="overflow-x-auto rounded-md border border-line bg-page p-3 font-mono text-xs"
    >
      {text}
    </pre>
  );
}
