// Schemes without a signature: the secret itself travels in a header. GitLab's `X-Gitlab-Token`, a token in a header of
// one's choice, and `Authorization` with Bearer or Basic. They prove who sent the delivery, not what is in it.
import { bearerToken } from "../../../shared/ids/keys.ts";
import { sameText } from "../../../shared/kernel/same-text.ts";
import { decodeBase64 } from "./encodings.ts";
import { type Judgement, malformed, requiredHeader, type Scheme, WRONG } from "./scheme.ts";

const AUTHORIZATION = "authorization";

export function token(header: string): Scheme {
  return ({ headers }, secrets) => judge(headers, header, secrets, (value) => value);
}

export const bearer: Scheme = ({ headers }, secrets) => judge(headers, AUTHORIZATION, secrets, bearerToken);

/** A secret is `user:password`. */
export const basic: Scheme = ({ headers }, secrets) =>
  judge(headers, AUTHORIZATION, secrets, (value) => {
    const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1];
    const bytes = encoded === undefined ? null : decodeBase64(encoded);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  });

async function judge(
  headers: Headers,
  header: string,
  secrets: readonly string[],
  read: (value: string) => string | null,
): Promise<Judgement> {
  const found = requiredHeader(headers, header);
  if ("refusal" in found) return found.refusal;
  const given = read(found.value);
  if (given === null) return malformed(header);
  let proved = false;
  // All are compared, so that the time does not tell which one was right.
  for (const secret of secrets) proved = (await sameText(given, secret)) || proved;
  return proved ? null : WRONG;
}
