// What a route refuses with: thrown where it is found, answered in one place (index.ts). Every refusal of one kind looks
// the same whatever it is about, so that none tells what exists. Nothing of the request is echoed.

import type { Role } from "../../shared/api/roles.ts";
import type { FieldError } from "../../shared/kernel/answers.ts";

export class Refused extends Error {
  override readonly name = "Refused";
  readonly answer: () => Response;
  constructor(answer: () => Response) {
    super("refused");
    this.answer = answer;
  }
}

function refused(status: number, error: string, fields?: readonly FieldError[]): Refused {
  return new Refused(() => Response.json(fields ? { error, fields } : { error }, { status }));
}

/** A thing of the path: what is not there, and what the caller may not see. */
export type Thing =
  | "organization"
  | "environment"
  | "API key"
  | "member"
  | "invitation"
  | "workflow"
  | "event"
  | "run"
  | "source"
  | "schedule"
  | "delivery"
  | "token";

export const notFound = (thing: Thing) => refused(404, `There is no such ${thing}.`);
export const needsRole = (least: Role) => refused(403, `Your role may not do this. It takes the role ${least}.`);
export const needsOperator = () => refused(403, "Only the operator may do this, with the deployment's SETUP_TOKEN.");
export const needsPerson = () => refused(403, "This is for a person: sign in, or use a personal access token.");
export const needsSession = () => refused(403, "A token may not do this. Sign in, and do it with the session.");
export const fromElsewhere = () =>
  refused(403, "The request does not come from a page of this router. Use a token outside a browser.");
export const conflict = (what: string) => refused(409, what);
export const unprocessable = (path: string, message: string) =>
  refused(422, `The request is not of the form: ${path}.`, [{ path, message }]);
export const notYetInForce = () =>
  refused(503, "The change is stored, but not yet in force: the environment could not be told. It is being repaired.");
export const organizationNotInForce = (slug: string) =>
  refused(
    503,
    `The organization is stored, but its environments could not be told yet: GET /api/v1/organizations/${slug} completes it.`,
  );
export const notAudited = () =>
  refused(503, "The change is made, but could not be written to the audit log: Postgres cannot be reached.");
export const secretsUnreadable = () =>
  refused(
    409,
    "The secrets cannot be read any more: they were sealed under a deployment's secret that was retired. Give new ones.",
  );
export const sourceAway = () => refused(503, "The source could not be reached. Send the request again.");
export const environmentAway = () => refused(503, "The environment could not be reached. Send the request again.");
export const unavailable = () =>
  refused(503, "Nothing was changed: the router could not take the request. Send it again.");
