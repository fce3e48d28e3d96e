// What only the ingress refuses.
import type { NeededScope } from "../../shared/contracts/environment.ts";

export function withoutScope(scope: NeededScope): Response {
  const needed = scope === "all" ? "a key without limits" : `one with the scope ${scope}`;
  return Response.json(
    { error: `This API key may not do this. Use ${needed}.` },
    {
      status: 403,
      headers: { "WWW-Authenticate": `Bearer realm="switchyard", error="insufficient_scope", scope="${scope}"` },
    },
  );
}
