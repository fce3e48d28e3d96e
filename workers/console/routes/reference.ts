// The OpenAPI document of the management API (/api/v1/openapi.json), generated from the routes, and the same as a page
// (/api/v1/reference). Both are public; neither reveals objects of this deployment.
import type { OpenAPIHono } from "@hono/zod-openapi";
import { referencePage } from "../reference-page.ts";
import type { ConsoleEnv } from "./route.ts";

const ABOUT = {
  openapi: "3.1.0",
  info: {
    title: "Switchyard management API",
    version: "1",
    description:
      "Organizations, their environments, API keys and members. Send a personal access token as a bearer token, or use " +
      "the session of a page of this router. A list answers `{data, next}`: give `next` as `cursor` for the page after. " +
      "A change is answered as done once it is in force; a 503 that says “not yet in force” is repaired by itself.",
  },
};

export function referenceRoutes(app: OpenAPIHono<ConsoleEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", {
    type: "apiKey",
    in: "cookie",
    name: "switchyard.session_token",
  });
  // Generated at the first request: it takes about ten milliseconds and never changes.
  let made: ReturnType<typeof app.getOpenAPI31Document> | null = null;
  const description = () => {
    made ??= app.getOpenAPI31Document(ABOUT);
    return made;
  };
  app.get("/api/v1/openapi.json", (c) => c.json(description()));
  app.get("/api/v1/reference", (c) => {
    c.header(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    );
    return c.html(referencePage(description()));
  });
}
