// Which organization and environment are shown, and what the signed-in person may do there.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { organizations, type Place } from "../api/queries.ts";

const RANKS = ["viewer", "member", "admin", "owner"] as const;

export function usePlace(): Place {
  const { org, env } = useParams({ from: "/orgs/$org/$env" });
  return { org, env };
}

/** Whether the person has this role or one that may do more. The API checks it again. */
export function useMay(least: (typeof RANKS)[number]): boolean {
  const { org } = usePlace();
  const { data } = useQuery(organizations);
  const role = data?.data.find(({ slug }) => slug === org)?.role ?? "viewer";
  return RANKS.indexOf(role) >= RANKS.indexOf(least);
}
