// One way from a route to the object of a webhook source. A source of another organization counts as missing.
import type { SourceDescription, SourceRpc } from "../../shared/contracts/webhook-source.ts";
import type { ConsoleEnv } from "./access/types.ts";
import { notFound } from "./refusals.ts";

export interface FoundSource {
  readonly id: string;
  readonly description: SourceDescription;
  call<T>(work: (source: SourceRpc) => Promise<T>): Promise<T>;
}

/** Refuses an id that no source has, and that of another organization's source. */
export async function findSource(
  { services, organization }: Pick<ConsoleEnv["Variables"], "services" | "organization">,
  id: string,
): Promise<FoundSource> {
  const name = await services.sources.nameOf(id);
  if (name === null) throw notFound("source");
  const call = <T>(work: (source: SourceRpc) => Promise<T>) => services.sources.call(name, work);
  const description = await call((source) => source.describe());
  if (description === null || description.organizationId !== organization.id) throw notFound("source");
  return { id: await services.sources.idOf(organization.id, description.service), description, call };
}
