// The displayed organization and environment, and the signed-in person's rights there.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { organizations, type Place } from "../api/queries.ts";

const RANKS = ["viewer", "member", "admin", "owner"] as const;

export function usePlace(): Place {
  const { org, env } = useParams({ from: "/orgs/$org/$env" });
  return { org, env };
}

/** True if the person has this role or a higher one. The API checks it again. */
export function useMay(least: (typeof RANKS)[number]): boolean {
  const { org } = usePlace();
  const { data } = useQuery(organizations);
  const role = data?.data.find(({ slug }) => slug === org)?.role ?? "viewer";
  return RANKS.indexOf(role) >= RANKS.indexOf(least);
}
