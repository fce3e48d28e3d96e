// The announcement of a ready router: `ready.json` for programs, a few lines for people.
import type { OrganizationAnswer } from "../../shared/api/setup.ts";
import type { ConsoleSecrets } from "./secrets.ts";
import { StartError } from "./start-error.ts";

export interface Ready {
  readonly url: string;
  readonly ws: string;
  readonly organization: { readonly id: string; readonly slug: string };
  readonly environments: Readonly<Record<"live" | "development", { readonly id: string; readonly key: string }>>;
  /** The owner's password, for signing in, and a personal access token for the management API. */
  readonly console: ConsoleSecrets & { readonly url: string };
}

export function describeReady(
  url: string,
  { id, slug, environments }: OrganizationAnswer,
  owner: ConsoleSecrets,
): Ready {
  const environment = (name: "live" | "development") => {
    const { id, key } = environments[name] ?? {};
    if (!id || !key) throw new StartError(`The organization "${slug}" has no active key in its environment "${name}".`);
    return { id, key };
  };
  return {
    url,
    ws: `${url.replace(/^http/, "ws")}/ws`,
    organization: { id, slug },
    environments: { live: environment("live"), development: environment("development") },
    console: { url, ...owner },
  };
}

/** The lines shown once the router is ready. `log` is the path of the log file. The password is shown once. */
export function welcome(
  ready: Ready,
  { log, showPassword, dashboard }: { log: string; showPassword: boolean; dashboard: string },
  seconds: number,
) {
  const { live, development } = ready.environments;
  return `
Switchyard runs at ${ready.url}  (ready in ${seconds.toFixed(1)} s)

  dashboard     ${dashboard}
                (this link signs you in once, within 30 minutes)

  live          ${live.key}
  development   ${development.key}
${showPassword ? `\n  owner         ${ready.console.email}, password ${ready.console.password}  (shown this once)\n` : ""}
To try it, in another terminal:

  export TRIGGER_API_KEY=${development.key}
  export TRIGGER_API_URL=${ready.url}
  export TRIGGER_WSS_URL=${ready.ws}

  npm start --workspace examples/starter          # a workflow, in the environment of the key

  curl $TRIGGER_API_URL/api/v1/events \\
    -H "Authorization: Bearer $TRIGGER_API_KEY" -H "Content-Type: application/json" \\
    -d '{"id":"'$(date +%s)'","event":{"name":"basic.starter","payload":{"id":"1"}}}'

Log: ${log}  (--verbose shows it here). Ctrl-C ends the router.
`;
}
