// One way from a route to a change of environments, for a member whose rights were checked.
import { applyChange, type ChangeServices } from "./control/apply-change.ts";
import { notYetInForce } from "./refusals.ts";

/** Applies the change and returns the value of `write`. Refuses with "not yet in force" if an object did not confirm it. */
export async function changeEnvironments<T>(
  services: ChangeServices,
  environmentIds: readonly string[],
  write: () => Promise<T>,
): Promise<T> {
  const changed = await applyChange(services, environmentIds, write);
  if (!changed.ok) throw notYetInForce();
  return changed.value;
}
