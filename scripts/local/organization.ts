// The organization of a local router, created at its first start through the public API.
import { OrganizationAnswer } from "../../shared/api/setup.ts";
import { StartError } from "./start-error.ts";

const SLUG = "local";

/**
 * Creates the organization, or reads it, which also provisions its environments again. Throws a StartError with the
 * API's answer.
 */
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
