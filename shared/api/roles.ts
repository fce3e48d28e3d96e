// What a member may do in an organization, from the most to the least. A role may do all that the ones after it may.
export const ROLES = ["owner", "admin", "member", "viewer"] as const;
export type Role = (typeof ROLES)[number];

/** Whether `role` may do what `least` may. */
export function mayActAs(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) <= ROLES.indexOf(least);
}

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}
