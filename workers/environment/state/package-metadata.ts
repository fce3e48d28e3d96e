// The stored facts about the process behind a registration: its package and commit. `metadata.env` holds every TRIGGER_*
// variable of the process and is never stored. A git origin may hold a token and is stored without credentials.
import { z } from "zod";
import type { Registration } from "../../../shared/wire/reference/host-calls.ts";

const text = z.string().max(1_000).optional().catch(undefined);
const Metadata = z
  .object({
    git: z.object({ sha: text, branch: text, commitMessage: text, origin: text }).optional().catch(undefined),
  })
  .catch({});

export interface PackageOfHost {
  readonly package: { readonly name: string; readonly version: string };
  readonly git?: {
    readonly sha?: string | undefined;
    readonly branch?: string | undefined;
    readonly commitMessage?: string | undefined;
    readonly origin?: string | undefined;
  };
}

export function packageOf(registration: Registration): PackageOfHost {
  const { git } = Metadata.parse(registration.metadata ?? {});
  const described = { package: { name: registration.packageName, version: registration.packageVersion } };
  if (!git) return described;
  return { ...described, git: { ...git, origin: git.origin && withoutCredentials(git.origin) } };
}

const ORIGIN_PROTOCOLS = new Set(["https:", "http:", "ssh:", "git:"]);

/** A git origin without user, password, query and fragment. Undefined for an origin that cannot be parsed. */
export function withoutCredentials(origin: string): string | undefined {
  const scp = /^[\w.-]+@([\w.-]+:[\w./~-]+)$/.exec(origin);
  if (scp) return scp[1];
  const url = URL.parse(origin);
  // Text that only looks like a URL (`user:token@host:path`) may hold a token anywhere.
  if (!url || !ORIGIN_PROTOCOLS.has(url.protocol) || url.host === "") return undefined;
  const { protocol, host, pathname } = url;
  return `${protocol}//${host}${pathname}`;
}
