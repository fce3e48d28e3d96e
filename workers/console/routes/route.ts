// Definition of a route: its name in the table of rights, its request and its answers. The right is checked before the
// request is read, so that a caller without it learns nothing about the form of the request.
import { createRoute, type RouteConfig } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { failure } from "../../../shared/kernel/answers.ts";
import { authorize } from "../access/authorize.ts";
import { READ_FROM_OBJECTS, type RequiredRight, type RouteName, rightOf } from "./rights.ts";

export type { ConsoleEnv } from "../access/types.ts";

type MethodOf<N> = N extends `${infer M} ${string}` ? Lowercase<M> : never;
type PathOf<N> = N extends `${string} ${infer P}` ? P : never;

export const ErrorAnswer = z
  .object({
    error: z.string().meta({ description: "What happened and what to do." }),
    fields: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "For a request of the wrong form: what to change." }),
  })
  .meta({ id: "Error" });

/** Limit of a request's body unless the route sets another. */
const BODY_MAX_BYTES = 16 * 1024;
const readable = (maxSize: number) =>
  bodyLimit({ maxSize, onError: () => failure(413, `The body is too large. It may have ${maxSize} bytes.`) });

const ERRORS = {
  401: error("No credentials, or none that are good."),
  403: error("The credentials are good, but may not do this."),
  404: error("There is no such thing, or none that the caller may see."),
  409: error("It contradicts what is there."),
  422: error("The request is not of the form."),
  503: error("Postgres or an environment could not be reached; the message says what is in force."),
};

/** Defines a route of the table. `spec` is its part of the OpenAPI document: summary, request and successful answers. */
export function route<N extends RouteName, const S extends Omit<RouteConfig, "method" | "path" | "middleware">>(
  name: N,
  spec: S,
  bodyMaxBytes = BODY_MAX_BYTES,
) {
  const [method, path] = name.split(" ") as [Uppercase<MethodOf<N>>, PathOf<N>];
  const needed = rightOf(name);
  return createRoute({
    ...spec,
    method: method.toLowerCase() as MethodOf<N>,
    path,
    operationId: name,
    description: describeRight(needed),
    tags: [tagOf(path)],
    security: needed === "public" ? [] : [{ token: [] }, { session: [] }],
    middleware: [authorize(needed, READ_FROM_OBJECTS.has(name)), readable(bodyMaxBytes)],
    responses: { ...spec.responses, ...ERRORS } as S["responses"] & typeof ERRORS,
  });
}

/** The JSON body of a request. */
export function body<T extends z.ZodType>(schema: T) {
  return { required: true, content: { "application/json": { schema } } } as const;
}

/** An answer with a JSON body. */
export function json<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { "application/json": { schema } } } as const;
}

function error(description: string) {
  return { description, content: { "application/json": { schema: ErrorAnswer } } } as const;
}

function describeRight(needed: RequiredRight): string {
  switch (needed) {
    case "public":
      return "Takes no credentials.";
    case "anyone":
      return "For whoever is signed in, and for the operator.";
    case "person":
      return "For whoever is signed in.";
    case "operator":
      return "For the operator, with the deployment's SETUP_TOKEN.";
    default:
      return `Takes the role ${needed}.`;
  }
}

function tagOf(path: string): string {
  const [, , , first = "", , second] = path.split("/");
  return second ?? first;
}
