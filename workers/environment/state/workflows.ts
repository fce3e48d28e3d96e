// The registered workflows of an environment: their definitions in force, and the workflows that listen for an event.
//
// The newest registration decides. A process may come back with a definition that was superseded while it was connected:
// it is served, and the old definition does not come back into force.
import { canonicalJson, utf8Length } from "../../../shared/kernel/canonical-json.ts";
import { DEFAULT_TIME_TO_LIVE_MS, REGISTRATION_MAX_BYTES } from "../../../shared/kernel/limits.ts";
import type { Registration } from "../../../shared/wire/reference/host-calls.ts";
import type { Trigger, TriggerKind } from "../../../shared/wire/reference/triggers.ts";
import { type CompiledFilter, compileFilter } from "../storage/filter.ts";
import { packageOf } from "./package-metadata.ts";

/** The parts of a registration that decide which events start runs, and how. */
export interface Definition {
  readonly name: string;
  readonly trigger: Trigger;
  /** Seconds, or null for the default. */
  readonly triggerTTL: number | null;
}

export interface Workflow {
  readonly number: number;
  readonly slug: string;
  readonly version: number;
  readonly definition: Definition;
  readonly filter: CompiledFilter;
  readonly timeToLiveMs: number;
  readonly registeredAt: number;
  readonly changedAt: number;
  /** Its runs are made, and wait until it is resumed. */
  readonly paused: boolean;
  /** Starts no runs until a host registers it again. */
  readonly deregistered: boolean;
}

interface WorkflowRow extends Record<string, SqlStorageValue> {
  number: number;
  slug: string;
  version: number;
  definition: string;
  previous: string | null;
  package: string;
  superseded: string;
  registered_at: number;
  changed_at: number;
  paused: number;
  deregistered_at: number | null;
}

export type Registered =
  | { readonly ok: true; readonly workflow: Workflow; readonly isNew: boolean; readonly differs: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Processes with a superseded definition that are remembered per workflow. The oldest is forgotten first. */
const SUPERSEDED_MAX = 200;
/** Workflows, and event names, kept in memory. Others are read again when they are needed. */
const CACHE_MAX = 2_000;

export class Workflows {
  readonly #sql: SqlStorage;
  readonly #byNumber = new Map<number, Workflow>();
  readonly #byEvent = new Map<string, readonly Workflow[]>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  byNumber(number: number): Workflow | undefined {
    const known = this.#byNumber.get(number);
    if (known) return known;
    const [row] = this.#sql.exec<WorkflowRow>("SELECT * FROM workflows WHERE number = ?", number);
    return row && this.#keep(row);
  }

  bySlug(slug: string): Workflow | undefined {
    const [row] = this.#sql.exec<{ number: number }>("SELECT number FROM workflows WHERE slug = ?", slug);
    return row && this.byNumber(row.number);
  }

  /** The workflows that listen for this name. Their filters are not asked yet. */
  listeningFor(kind: TriggerKind, name: string): readonly Workflow[] {
    const key = `${kind} ${name}`;
    const known = this.#byEvent.get(key);
    if (known) return known;
    const workflows = this.#sql
      .exec<{ workflow: number }>(
        "SELECT DISTINCT workflow FROM workflow_events WHERE kind = ? AND name IN (?, '') ORDER BY workflow",
        kind,
        name,
      )
      .toArray()
      .flatMap(({ workflow }) => this.byNumber(workflow) ?? []);
    if (this.#byEvent.size >= CACHE_MAX) this.#byEvent.clear();
    this.#byEvent.set(key, workflows);
    return workflows;
  }

  /** The workflows that listen to this service, for any name. */
  listeningToService(kind: TriggerKind, service: string): readonly Workflow[] {
    return this.#sql
      .exec<{ workflow: number }>(
        "SELECT DISTINCT workflow FROM workflow_events WHERE kind = ? ORDER BY workflow",
        kind,
      )
      .toArray()
      .flatMap(({ workflow }) => this.byNumber(workflow) ?? [])
      .filter(({ definition }) => definition.trigger.service === service);
  }

  /**
   * Registers a workflow as a host announced it. An identical registration writes no row. `connected` are the processes
   * with the definition in force; a new definition supersedes theirs.
   */
  register(registration: Registration, process: string, connected: readonly string[], now: number): Registered {
    const { trigger } = registration;
    if (trigger.type !== "SCHEDULE") {
      const compiled = compileFilter(trigger.filter);
      if (!compiled.ok) {
        const [first] = compiled.errors;
        return { ok: false, message: `the filter cannot be used: ${first?.path ?? ""} ${first?.message ?? ""}`.trim() };
      }
    }
    const definition: Definition = {
      name: registration.workflowName,
      trigger,
      triggerTTL: registration.triggerTTL ?? null,
    };
    const text = canonicalJson(definition);
    const packageText = canonicalJson(packageOf(registration));
    if (utf8Length(text) + utf8Length(packageText) > REGISTRATION_MAX_BYTES) {
      return { ok: false, message: `the registration is larger than ${REGISTRATION_MAX_BYTES} bytes` };
    }
    const [row] = this.#sql.exec<WorkflowRow>("SELECT * FROM workflows WHERE slug = ?", registration.workflowId);
    if (!row)
      return { ok: true, workflow: this.#insert(registration, text, packageText, now), isNew: true, differs: [] };

    if (row.deregistered_at !== null) {
      const workflow = this.#replace(row, definition, text, packageText, [], now);
      return { ok: true, workflow, isNew: true, differs: [] };
    }
    if (row.definition === text) {
      if (row.package !== packageText) {
        this.#sql.exec("UPDATE workflows SET package = ? WHERE number = ?", packageText, row.number);
      }
      return { ok: true, workflow: this.#keep(row), isNew: false, differs: [] };
    }
    const superseded = JSON.parse(row.superseded) as string[];
    if (superseded.includes(process)) {
      const current = JSON.parse(row.definition) as Definition;
      return { ok: true, workflow: this.#keep(row), isNew: false, differs: differences(definition, current) };
    }
    const remembered = [...new Set([...connected, ...superseded])]
      .filter((p) => p !== process)
      .slice(0, SUPERSEDED_MAX);
    return {
      ok: true,
      workflow: this.#replace(row, definition, text, packageText, remembered, now),
      isNew: false,
      differs: [],
    };
  }

  /** The package and commit of a workflow, for people. */
  packageOf(number: number): unknown {
    const [row] = this.#sql.exec<{ package: string }>("SELECT package FROM workflows WHERE number = ?", number);
    return row ? JSON.parse(row.package) : {};
  }

  setPaused(number: number, paused: boolean): void {
    this.#sql.exec("UPDATE workflows SET paused = ? WHERE number = ?", paused ? 1 : 0, number);
    this.forget();
  }

  /** The workflow starts no runs until it is registered again. Its runs stay readable. */
  deregister(number: number, now: number): void {
    this.#sql.exec("DELETE FROM workflow_events WHERE workflow = ?", number);
    this.#sql.exec("UPDATE workflows SET deregistered_at = ?, paused = 0 WHERE number = ?", now, number);
    this.forget();
  }

  /** Empties the cache, which may hold a registration that was rolled back. */
  forget(): void {
    this.#byNumber.clear();
    this.#byEvent.clear();
  }

  #insert(registration: Registration, definition: string, packageText: string, now: number): Workflow {
    const row = this.#sql
      .exec<WorkflowRow>(
        `INSERT INTO workflows (slug, version, definition, package, registered_at, changed_at)
         VALUES (?, 1, ?, ?, ?, ?) RETURNING *`,
        registration.workflowId,
        definition,
        packageText,
        now,
        now,
      )
      .one();
    this.#index(row.number, registration.trigger);
    this.forget();
    return this.#keep(row);
  }

  #replace(
    row: WorkflowRow,
    definition: Definition,
    text: string,
    packageText: string,
    superseded: readonly string[],
    now: number,
  ): Workflow {
    const changed = this.#sql
      .exec<WorkflowRow>(
        `UPDATE workflows SET version = version + 1, definition = ?, previous = ?, package = ?, superseded = ?,
         changed_at = ?, deregistered_at = NULL WHERE number = ? RETURNING *`,
        text,
        row.definition,
        packageText,
        JSON.stringify(superseded),
        now,
        row.number,
      )
      .one();
    this.#index(row.number, definition.trigger);
    this.forget();
    return this.#keep(changed);
  }

  #index(number: number, trigger: Trigger): void {
    this.#sql.exec("DELETE FROM workflow_events WHERE workflow = ?", number);
    for (const name of eventNames(trigger)) {
      this.#sql.exec("INSERT OR IGNORE INTO workflow_events VALUES (?, ?, ?)", trigger.type, name, number);
    }
  }

  #keep(row: WorkflowRow): Workflow {
    const definition = JSON.parse(row.definition) as Definition;
    const compiled = compileFilter(definition.trigger.type === "SCHEDULE" ? {} : definition.trigger.filter);
    if (!compiled.ok) throw new Error("a stored filter cannot be compiled");
    const workflow: Workflow = {
      number: row.number,
      slug: row.slug,
      version: row.version,
      definition,
      filter: compiled.filter,
      timeToLiveMs: definition.triggerTTL === null ? DEFAULT_TIME_TO_LIVE_MS : definition.triggerTTL * 1000,
      registeredAt: row.registered_at,
      changedAt: row.changed_at,
      paused: row.paused === 1,
      deregistered: row.deregistered_at !== null,
    };
    if (this.#byNumber.size >= CACHE_MAX) this.#byNumber.clear();
    this.#byNumber.set(row.number, workflow);
    return workflow;
  }
}

/** The names under which a trigger is looked up. `""` is the name of a trigger whose filter takes any name. */
export function eventNames(trigger: Trigger): readonly string[] {
  if (trigger.type === "SCHEDULE") return [trigger.name];
  const named = trigger.filter.event;
  if (!Array.isArray(named)) return named === undefined ? [trigger.name] : [""];
  const plain = named.filter((name): name is string => typeof name === "string");
  return named.length > 0 && plain.length === named.length ? plain : [""];
}

/** The parts in which two definitions of a workflow differ, named as in the registration. */
export function differences(one: Definition, other: Definition): readonly string[] {
  const parts = ({ name, triggerTTL, trigger }: Definition): Record<string, unknown> => {
    const { name: event, ...rest } = trigger;
    return { ...rest, event, name, triggerTTL };
  };
  const [a, b] = [parts(one), parts(other)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((part) => canonicalJson(a[part] ?? null) !== canonicalJson(b[part] ?? null))
    .sort();
}
