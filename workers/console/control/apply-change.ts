// Two stores, one truth. Postgres is the record; an environment's object holds what routing needs. A change is
//   1. announced to the object Repairs, which looks after it should anything of the rest not happen,
//   2. written to Postgres, raising the environment's revision,
//   3. pushed: the object is told its whole state as Postgres has it, by revision, and so are the organization's webhook
//      sources (the object SourceBook) of where their deliveries go,
//   4. noted as pushed, and taken back from Repairs.
// A change is answered as done only when step 3 was confirmed. Cut off after 1, Repairs finds nothing owed; after 2, it
// pushes; after 3, it pushes what the object has already, which changes nothing. Tests: push.test.ts cuts at each.
import { errorName, log } from "../../../shared/kernel/log.ts";
import { notYetInForce } from "../refusals.ts";
import type { EnvironmentObjects, Record } from "./services.ts";

/** What a push needs of the world. */
export interface PushWorld {
  readonly record: Record;
  readonly objects: Pick<EnvironmentObjects, "provision" | "deprovision">;
}

export interface ChangeWorld extends PushWorld {
  readonly repairs: Repairing;
  afterwards(work: Promise<void>): void;
}

export interface Repairing {
  /** Answers once it is stored that these environments will be looked after, unless the ticket is settled. */
  expect(environmentIds: readonly string[]): Promise<string>;
  settle(ticket: string): Promise<void>;
}

/**
 * Makes a change of environments. Answers what `write` answered, once every object has confirmed it. Throws what
 * `write` threw (Repairs then looks whether it was committed all the same), or the refusal "not yet in force".
 */
export async function changing<T>(
  world: ChangeWorld,
  environmentIds: readonly string[],
  write: () => Promise<T>,
): Promise<T> {
  const ticket = await world.repairs.expect(environmentIds);
  const written = await write();
  const pushed = await Promise.all(environmentIds.map((id) => isPushed(world, id)));
  if (pushed.includes(false)) throw notYetInForce();
  world.afterwards(world.repairs.settle(ticket));
  return written;
}

async function isPushed(world: PushWorld, environmentId: string): Promise<boolean> {
  try {
    await pushEnvironment(world, environmentId);
    return true;
  } catch (error) {
    const name = errorName(error);
    log("error", "environment not told", { environment: environmentId, name });
    return false;
  }
}

/** Tells the object what Postgres wants of it. May be repeated at any time. Throws when one of the two is away. */
export async function pushEnvironment({ record, objects }: PushWorld, environmentId: string): Promise<void> {
  const desired = await record.desired(environmentId);
  if (desired === null) return;
  if (desired.kind === "provisioned") {
    const { revision } = await objects.provision(desired.state);
    await record.pushed(environmentId, revision);
    return;
  }
  await objects.deprovision(environmentId, desired.organizationId);
  await record.pushed(environmentId, desired.revision);
  await record.forgetIfDeleted(desired.organizationId);
}
