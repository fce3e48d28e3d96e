// The connected hosts of an environment that serve a workflow.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { listOf, PageQuery } from "../../../shared/api/pages.ts";
import { MEMBER } from "../../../shared/contracts/environment.ts";
import { callEnvironment } from "../call-environment.ts";
import { type ConsoleEnv, json, route } from "./route.ts";

const env = z.object({ org: z.string(), env: z.string() });
const Host = z
  .object({ workflow: z.string(), connectedAt: z.string(), keyId: z.string(), running: z.number() })
  .meta({ id: "Host" });

const list = route("GET /api/v1/organizations/{org}/environments/{env}/hosts", {
  summary: "List the hosts that are connected and serve a workflow; `limit` counts workflows",
  request: { params: env, query: PageQuery },
  responses: { 200: json("By workflow.", listOf(Host)) },
});

export function hostRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor = null } = c.req.valid("query");
    const page = await callEnvironment(c.var, (environment) => environment.listWorkflows(MEMBER, { limit, cursor }));
    const data = page.data.flatMap(({ slug, hosts }) => hosts.map((host) => ({ workflow: slug, ...host })));
    return c.json({ data, next: page.next }, 200);
  });
}
