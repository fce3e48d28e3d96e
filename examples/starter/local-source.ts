// Finds the webhook source of a service on the router of this machine, and gives the source a secret if it has none.
// With a real provider, a person does this once, with the provider's secret.
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

/** Throws if no router runs here, and if no workflow of the service has registered yet. */
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
  if (source === undefined) throw new Error(`No source for ${service} exists yet. Start the workflow first: npm start`);
  if (source.secrets === 0) await ask("PATCH", `${sources}/${source.id}`, { secrets: [newSecret] });
  const { secrets } = await ask<{ secrets: string[] }>("POST", `${sources}/${source.id}/show`);
  return { url: source.url, secret: secrets[0] ?? newSecret };
}
