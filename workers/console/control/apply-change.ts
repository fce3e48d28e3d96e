// The one way to change organizations, environments and keys. Postgres is the record; an environment's object holds a copy
// of what routing needs. A change has four steps:
//   1. A ticket is taken from the object Repairs, which repairs the environments if a later step does not happen.
//   2. The change is written to Postgres, which raises the environments' revision.
//   3. Each environment's object gets its whole state as Postgres has it, by revision. The organization's webhook sources
//      (the object SourceBook) learn where their deliveries go.
//   4. Postgres records the pushed revision, and the ticket is settled.
// Promise: a change is reported as done only after step 3 was confirmed. If it stops after step 1, Repairs finds nothing to
// push; after step 2, Repairs pushes; after step 3, Repairs pushes a state that the object has already, which changes
// nothing. Tests: apply-change.test.ts stops a change at each of these points.
import { errorName, log } from "../../../shared/kernel/log.ts";
import { fail, ok, type Result } from "../../../shared/kernel/result.ts";
import type { ControlRecord, EnvironmentObjects, Repairing } from "./ports.ts";

export interface PushServices {
  readonly record: ControlRecord;
  readonly objects: Pick<EnvironmentObjects, "provision" | "deprovision">;
}

export interface ChangeServices extends PushServices {
  readonly repairs: Repairing;
  afterwards(work: Promise<void>): void;
}

/** The change is stored, but an object did not confirm it. Repairs pushes it later. */
export type NotInForce = "not in force";

/**
 * Applies a change of environments and returns the value of `write` once every object has confirmed it. Throws what
 * `write` throws; Repairs then checks whether the change was committed after all.
 */
export async function applyChange<T>(
  services: ChangeServices,
  environmentIds: readonly string[],
  write: () => Promise<T>,
): Promise<Result<T, NotInForce>> {
  const ticket = await services.repairs.expect(environmentIds);
  const written = await write();
  if (!(await pushEnvironments(services, environmentIds))) return fail("not in force");
  services.afterwards(services.repairs.settle(ticket));
  return ok(written);
}

/** Pushes each environment's state. True if every object has confirmed it; each failure is logged. */
export async function pushEnvironments(services: PushServices, environmentIds: readonly string[]): Promise<boolean> {
  const pushed = await Promise.all(
    environmentIds.map((environmentId) =>
      pushEnvironment(services, environmentId).then(
        () => true,
        (error: unknown) => {
          log("error", "environment not pushed", { environment: environmentId, name: errorName(error) });
          return false;
        },
      ),
    ),
  );
  return !pushed.includes(false);
}

/** Pushes the state that Postgres wants. May be repeated at any time. Throws if Postgres or the object is away. */
export async function pushEnvironment({ record, objects }: PushServices, environmentId: string): Promise<void> {
  const desired = await record.readDesired(environmentId);
  if (desired === null) return;
  if (desired.kind === "provisioned") {
    const { revision } = await objects.provision(desired.state);
    await record.recordPushed(environmentId, revision);
    return;
  }
  await objects.deprovision(environmentId, desired.organizationId);
  await record.recordPushed(environmentId, desired.revision);
  await record.forgetIfDeleted(desired.organizationId);
}
