// One way from a route to the object of its environment, for a member whose rights were checked.
import type { Answer, EnvironmentCalls } from "../../shared/contracts/environment.ts";
import type { ConsoleEnv } from "./access/types.ts";
import { environmentAway } from "./refusals.ts";

/** An environment that no push has reached yet counts as away. */
export async function callEnvironment<T>(
  { services, environment }: Pick<ConsoleEnv["Variables"], "services" | "environment">,
  work: (environment: EnvironmentCalls) => Promise<Answer<T>>,
): Promise<T> {
  const answer = await services.objects.call(environment.id, work);
  if (!answer.ok) throw environmentAway();
  return answer.value;
}
