// The organization of a local router, made at its first start through the same API that anyone would use.
import { OrganizationAnswer } from "../../shared/api/setup.ts";
import { StartError } from "./start-error.ts";

const SLUG = "local";

/** Reads it, which also provisions its environments again, or makes it. Throws a StartError with what the API says. */
export async function localOrganization(url: string, setupToken: string): Promise<OrganizationAnswer> {
  const headers = { Authorization: `Bearer ${setupToken}`, "Content-Type": "application/json" };
  const collection = `${url}/api/v1/organizations`;
  let response = await fetch(`${collection}/${SLUG}`, { headers });
  if (response.status === 404) {
    const body = JSON.stringify({ name: "Local", slug: SLUG });
    response = await fetch(collection, { method: "POST", headers, body });
  }
  const text = await response.text();
  if (!response.ok) throw new StartError(`The organization "${SLUG}" cannot be set up (${response.status}): ${text}`);
  return OrganizationAnswer.parse(JSON.parse(text));
}
