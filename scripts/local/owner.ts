// The owner of a local router's organization, created at its first start through the public API, with a random password
// and a personal access token. Both are stored with the data's other secrets.
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { NewToken } from "../../shared/api/people.ts";
import type { ConsoleSecrets } from "./secrets.ts";
import { StartError } from "./start-error.ts";

/** In a domain that nobody can own (RFC 6761); better-auth accepts no address without a dot. */
const EMAIL = "owner@switchyard.localhost";

export interface LocalOwner extends ConsoleSecrets {
  /** True if the password is new and has to be shown. */
  readonly fresh: boolean;
}

/** A link that signs the owner in, in one browser, once. Null if it cannot be made: a password signs in as well. */
export async function signInLink(url: string, { email, password }: ConsoleSecrets): Promise<string | null> {
  try {
    const Cookie = await signIn(url, email, password);
    const response = await fetch(`${url}/api/auth/one-time-token/generate`, { headers: { Cookie } });
    const { token } = z.object({ token: z.string() }).parse(await response.json());
    // Behind the #, so that no server gets it and no log holds it.
    return `${url}/sign-in#${token}`;
  } catch {
    return null;
  }
}

async function signIn(url: string, email: string, password: string): Promise<string> {
  const { cookies } = await call(`${url}/api/auth/sign-in/email`, { Origin: url }, { email, password });
  return cookies.map((each) => each.split(";")[0]).join("; ");
}

/** Ensures that the owner exists and the token works. Throws a StartError with the API's answer. */
export async function localOwner(
  { url, organization, setupToken }: { url: string; organization: string; setupToken: string },
  kept: ConsoleSecrets | undefined,
): Promise<LocalOwner> {
  const email = kept?.email ?? EMAIL;
  const password = kept?.password ?? randomBytes(15).toString("base64url");
  if (kept !== undefined && (await isGood(url, kept.token))) return { ...kept, fresh: false };

  await call(
    `${url}/api/v1/organizations/${organization}/owners`,
    { Authorization: `Bearer ${setupToken}` },
    { email, password },
  );
  const Cookie = await signIn(url, email, password);
  const { body } = await call(`${url}/api/v1/tokens`, { Origin: url, Cookie }, { name: "npm start" });
  return { email, password, token: NewToken.parse(body).token, fresh: kept === undefined };
}

async function isGood(url: string, token: string): Promise<boolean> {
  const response = await fetch(`${url}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.ok;
}

async function call(
  address: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<{ body: unknown; cookies: string[] }> {
  const response = await fetch(address, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    const path = new URL(address).pathname;
    throw new StartError(`The owner ${EMAIL} cannot be set up (${path} answered ${response.status}): ${text}`);
  }
  return { body: z.json().parse(JSON.parse(text)), cookies: response.headers.getSetCookie() };
}
