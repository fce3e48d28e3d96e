// Finds the webhook source of a service on the router that runs on this machine, and gives it a secret when it has none:
// what a person does once with the management API, and with the provider's own secret.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface LocalSource {
  readonly url: string;
  readonly secret: string;
}

interface Ready {
  readonly url: string;
  readonly organization: { readonly slug: string };
  readonly console: { readonly token: string };
}

interface Source {
  readonly id: string;
  readonly service: string;
  readonly url: string;
  readonly secrets: number;
}

/** Throws when no router runs here, and when no workflow of the service has registered yet. */
export async function localSource(service: string, newSecret: string): Promise<LocalSource> {
  const path = process.env.SWITCHYARD_READY ?? fileURLToPath(new URL("../../.data/ready.json", import.meta.url));
  const { url, organization, console } = JSON.parse(readFileSync(path, "utf8")) as Ready;
  const sources = `${url}/api/v1/organizations/${organization.slug}/sources`;
  const ask = async <T>(method: string, at: string, body?: object): Promise<T> => {
    const response = await fetch(at, {
      method,
      headers: { Authorization: `Bearer ${console.token}`, "Content-Type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const { data } = await ask<{ data: Source[] }>("GET", `${sources}?limit=100`);
  const source = data.find((each) => each.service === service);
  if (source === undefined)
    throw new Error(`There is no source for ${service} yet: start the workflow with npm start.`);
  if (source.secrets === 0) await ask("PATCH", `${sources}/${source.id}`, { secrets: [newSecret] });
  const { secrets } = await ask<{ secrets: string[] }>("POST", `${sources}/${source.id}/show`);
  return { url: source.url, secret: secrets[0] ?? newSecret };
}
