// The object of one webhook source: its settings, its secrets, its inbox. Named by the organization and the service, see
// shared/ids/source-ids.ts. The class is a shell; the modules beside it do the work.
//
// It stores nothing until it is created, so a request that reaches it before leaves it empty.
import { DurableObject } from "cloudflare:workers";
import { secretProblems, type Verification } from "../../../shared/api/source-settings.ts";
import type {
  DeliveriesPage,
  DeliveriesQuery,
  DeliveryDetails,
  EnvironmentList,
  NewSource,
  Redelivered,
  RedeliveryChoice,
  SettingsProblem,
  SourceAnswer,
  SourceChange,
  SourceChanged,
  SourceDescription,
  SourceEnvironment,
  SourceRequest,
  SourceRpc,
  WebhookRegistration,
  WebhookTrigger,
} from "../../../shared/contracts/webhook-source.ts";
import { nextSequence, sequenceTime } from "../../../shared/ids/ids.ts";
import { sourceName } from "../../../shared/ids/source-ids.ts";
import { canonicalJson } from "../../../shared/kernel/canonical-json.ts";
import { followClock, machineTime, now } from "../../../shared/kernel/clock.ts";
import { DELIVERY_KEPT_MS, HANDED_OVER_AFTER_LOSS_MS, RETRY_FAILED_WORK_MS } from "../../../shared/kernel/limits.ts";
import { errorName, log, setLogLevel } from "../../../shared/kernel/log.ts";
import { seal, unseal } from "../../../shared/kernel/seal.ts";
import { type Env, keySecrets, parseSettings } from "../../env.ts";
import { dropTables, hasTable } from "../../platform/object-storage.ts";
import { handshakeFor, namingFor, presetOf, verificationAskedFor } from "../presets.ts";
import type { SourceContext } from "./context.ts";
import { countUnsettled, deleteOld, dueIds, newestId, postpone, settleThrough, untried } from "./deliveries.ts";
import { handOver } from "./hand-over.ts";
import { Lane } from "./lane.ts";
import { listDeliveries, readDelivery } from "./read-deliveries.ts";
import { receive } from "./receive.ts";
import { redeliver } from "./redeliver.ts";
import { migrate, readSource, type SourceRecord, writeSource } from "./storage.ts";

/** Deliveries whose retry is due that one alarm takes up; it comes back for the rest. */
const RETRIED_AT_ONCE = 100;
/** Deliveries that `settled_through` may lag behind: so many rows are looked at when the object starts. */
const SETTLED_LAG = 1_000;

export class WebhookSource extends DurableObject<Env> implements SourceRpc {
  /** Null until the source is created, and again after it was removed. */
  #source: SourceRecord | null = null;
  #lastNumber = 0;
  /** Deliveries that are being handed over now, each once. */
  readonly #underWay = new Map<number, Promise<void>>();
  readonly #lanes = new Map<string, Lane>();
  /** Deliveries handed over since `settled_through` was written. */
  #tried = 0;
  /** The secrets in the clear, of the sealed ones beside them. In memory only. */
  #opened: { readonly sealed: SourceRecord["sealedSecrets"]; readonly secrets: readonly string[] } | null = null;
  /** The machine time the alarm is set to, or null. Asked of the platform once. */
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    setLogLevel(parseSettings(env).LOG_LEVEL);
    if (!hasTable(ctx.storage.sql, "source")) return;
    ctx.blockConcurrencyWhile(async () => {
      migrate(ctx.storage);
      this.#alarmAt = await ctx.storage.getAlarm();
      this.#open();
      for (const id of untried(ctx.storage.sql)) this.#handOver(id);
      await this.#schedule();
    });
  }

  // ---- What providers send ----

  async receive(request: SourceRequest): Promise<SourceAnswer> {
    const context = this.#context();
    if (context === null) return { outcome: "no source" };
    const { answer, stored } = await receive(context, request);
    if (stored !== undefined) {
      this.#handOver(stored);
      await this.#schedule();
    }
    return answer;
  }

  // ---- The control plane, and environments ----

  async create({ organizationId, service, secrets, ...settings }: NewSource): Promise<SourceChanged> {
    const verification = settings.verification ?? presetOf(service)?.verification;
    if (verification === undefined) {
      return {
        problems: [{ path: ["verification"], message: "nothing is known of this service: say how it is verified" }],
      };
    }
    const problems = problemsOf(verification, secrets);
    if (problems.length > 0) return { problems };
    return this.#create({ ...settings, organizationId, service, secrets, verification }, null);
  }

  /** Promise: never changes a source that is there, so that no key of development can weaken what feeds live. */
  async register({ organizationId, environment, trigger }: WebhookRegistration): Promise<void> {
    const { service } = trigger;
    const verification = verificationAskedFor(trigger);
    const created = await this.#create({ organizationId, service, secrets: [], verification }, environment);
    if (created === "full")
      log("warn", "no source made: the organization has all it may have", { organization: organizationId });
  }

  async #create(
    given: NewSource & { readonly verification: Verification },
    environment: SourceEnvironment | null,
  ): Promise<SourceChanged> {
    if (this.#source !== null) return "exists";
    const { organizationId, service, verification } = given;
    const name = await sourceName(organizationId, service);
    // Listed first: a source that is not would take deliveries for no environment.
    const join = () => this.env.SOURCE_BOOK.getByName(organizationId).join({ service, name }, environment);
    const list = await join();
    if (list === "deleted" || list === "full") return list;
    const sealedSecrets = await this.#seal(given.secrets);
    if (this.#source !== null) return "exists";
    const source: SourceRecord = {
      name,
      organizationId,
      service,
      verification,
      naming: given.naming ?? namingFor(service),
      handshake: given.handshake ?? handshakeFor(service),
      sealedSecrets,
      environments: list.environments,
      environmentsVersion: list.version,
      createdAt: now(),
    };
    this.ctx.storage.transactionSync(() => {
      migrate(this.ctx.storage);
      writeSource(this.ctx.storage.sql, source);
    });
    this.#open();
    // The environments may have changed before there was a source to tell.
    const newer = await join();
    if (newer !== "deleted" && newer !== "full") await this.setEnvironments(newer);
    return "done";
  }

  async describe(): Promise<SourceDescription | null> {
    const source = this.#source;
    if (source === null) return null;
    const { organizationId, service, verification, naming, handshake, environments, createdAt } = source;
    const last = newestId(this.ctx.storage.sql);
    const secrets = (await this.#secrets(source)).length;
    const lastDeliveryAt = last === null ? null : sequenceTime(last);
    const settings = { organizationId, service, verification, naming, handshake };
    return { ...settings, secrets, environments, createdAt, lastDeliveryAt };
  }

  async compare(triggers: readonly WebhookTrigger[]): Promise<{ asks: Verification; differs: boolean }[]> {
    const does = canonicalJson(this.#source?.verification ?? null);
    return triggers.map((trigger) => {
      const asks = verificationAskedFor(trigger);
      return { asks, differs: canonicalJson(asks) !== does };
    });
  }

  async change({ secrets, ...change }: SourceChange): Promise<SourceChanged> {
    const before = this.#source;
    if (before === null) return "no source";
    const verification = change.verification ?? before.verification;
    const given = secrets ?? (await this.#secrets(before));
    const problems = problemsOf(verification, given);
    if (problems.length > 0) return { problems };
    const sealedSecrets = secrets === undefined ? undefined : await this.#seal(secrets);
    const source = this.#source;
    if (source === null) return "no source";
    this.#write({
      ...source,
      verification,
      naming: change.naming ?? source.naming,
      handshake: change.handshake ?? source.handshake,
      ...(sealedSecrets !== undefined && { sealedSecrets }),
    });
    return "done";
  }

  async secrets(): Promise<readonly string[] | null> {
    return this.#source === null ? null : this.#secrets(this.#source);
  }

  async remove(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    await this.env.SOURCE_BOOK.getByName(source.organizationId).leave(source.service);
    this.#source = null;
    this.#alarmAt = null;
    await this.ctx.storage.deleteAlarm();
    this.ctx.storage.transactionSync(() => dropTables(this.ctx.storage.sql));
  }

  async setEnvironments({ version, environments }: EnvironmentList): Promise<boolean> {
    const source = this.#source;
    if (source === null) return false;
    if (version > source.environmentsVersion) this.#write({ ...source, environments, environmentsVersion: version });
    return true;
  }

  // ---- Deliveries, for people ----

  async listDeliveries(query: DeliveriesQuery): Promise<DeliveriesPage | "no such cursor"> {
    const context = this.#context();
    if (context === null) return { data: [], next: null };
    return listDeliveries(context, query) ?? "no such cursor";
  }

  async readDelivery(id: string): Promise<DeliveryDetails | null> {
    const context = this.#context();
    return context === null ? null : readDelivery(context, id);
  }

  async redeliver(choice: RedeliveryChoice, environments: readonly string[] | null): Promise<Redelivered | null> {
    const context = this.#context();
    if (context === null) return null;
    const redelivered = this.ctx.storage.transactionSync(() => redeliver(context, choice, environments));
    await this.#schedule();
    return redelivered;
  }

  // ---- Time ----

  async clockMoved(): Promise<void> {
    await this.#doDue();
  }

  /** Never throws: the platform drops an alarm after six failures. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      await this.#doDue();
    } catch (error) {
      log("error", "alarm of a source failed", { service: this.#source?.service, name: errorName(error) });
      await this.#setAlarm(machineTime(now()) + RETRY_FAILED_WORK_MS);
    }
  }

  async #doDue(): Promise<void> {
    if (this.#source === null) return;
    const { sql } = this.ctx.storage;
    deleteOld(sql, now());
    const due = dueIds(sql, now(), [...this.#underWay.keys()], RETRIED_AT_ONCE);
    await Promise.all(due.map((id) => this.#handOver(id)));
    await this.#schedule();
  }

  /** Hands a delivery over, once at a time; what it threw is logged, and it is due again. */
  #handOver(id: number): Promise<void> {
    const known = this.#underWay.get(id);
    if (known !== undefined) return known;
    const context = this.#context();
    if (context === null) return Promise.resolve();
    const work = handOver(context, id)
      .catch((error: unknown) => {
        log("error", "handing over failed", { service: context.source.service, name: errorName(error) });
        postpone(context.sql, id, now() + RETRY_FAILED_WORK_MS);
      })
      .then(() => {
        this.#underWay.delete(id);
        this.#tried++;
        return this.#schedule();
      });
    this.#underWay.set(id, work);
    this.ctx.waitUntil(work);
    return work;
  }

  /** One alarm: for retries, for what a loss of the object would leave, and for what is to be deleted. */
  async #schedule(): Promise<void> {
    if (this.#source === null) return;
    const { sql } = this.ctx.storage;
    this.#noteSettled();
    const { due } = sql
      .exec<{ due: number | null }>("SELECT min(due_at) AS due FROM deliveries WHERE due_at IS NOT NULL")
      .one();
    // It may be one that is under way: then it is looked at again a little later.
    const busy = this.#underWay.size > 0;
    const oldest = sql.exec<{ id: number | null }>("SELECT min(id) AS id FROM deliveries").one().id;
    const times = [
      due === null ? null : Math.max(due, now() + (busy ? RETRY_FAILED_WORK_MS : 1)),
      !busy ? null : now() + HANDED_OVER_AFTER_LOSS_MS,
      oldest === null ? null : Math.max(sequenceTime(oldest) + DELIVERY_KEPT_MS, now() + HANDED_OVER_AFTER_LOSS_MS),
    ].filter((time) => time !== null);
    if (times.length > 0) await this.#setAlarm(machineTime(Math.min(...times)));
  }

  /** Written seldom: it only bounds what is looked through when the object starts. */
  #noteSettled(): void {
    if (this.#tried < SETTLED_LAG) return;
    this.#tried = 0;
    const through = this.#underWay.size === 0 ? this.#lastNumber : Math.min(...this.#underWay.keys()) - 1;
    settleThrough(this.ctx.storage.sql, through);
  }

  /** Set only when it becomes earlier: setting it is a row. */
  async #setAlarm(at: number): Promise<void> {
    // An alarm set to the present from inside an alarm would not fire.
    const time = Math.max(at, Date.now() + 1);
    if (this.#alarmAt !== null && this.#alarmAt <= time) return;
    this.#alarmAt = time;
    await this.ctx.storage.setAlarm(time);
  }

  // ---- Inside ----

  #open(): void {
    const { sql } = this.ctx.storage;
    this.#source = readSource(sql);
    this.#lastNumber = Math.max(this.#lastNumber, newestId(sql) ?? 0);
    this.#tried = countUnsettled(sql);
    if (parseSettings(this.env).CLOCK === "movable") followClock(this.#source.name);
  }

  #context(): SourceContext | null {
    const source = this.#source;
    if (source === null) return null;
    return {
      sql: this.ctx.storage.sql,
      source,
      secrets: () => this.#secrets(source),
      nextNumber: () => {
        this.#lastNumber = nextSequence(this.#lastNumber, now());
        return this.#lastNumber;
      },
      give: (environmentId, delivery) => this.env.ENVIRONMENT.getByName(environmentId).receiveDelivery(delivery),
      lane: (environmentId) => this.#laneOf(environmentId),
      now,
      random: Math.random,
    };
  }

  #laneOf(environmentId: string): Lane {
    const lane = this.#lanes.get(environmentId) ?? new Lane();
    this.#lanes.set(environmentId, lane);
    return lane;
  }

  #write(source: SourceRecord): void {
    writeSource(this.ctx.storage.sql, source);
    this.#source = source;
  }

  async #seal(secrets: readonly string[]): Promise<SourceRecord["sealedSecrets"]> {
    if (secrets.length === 0) return null;
    return new Uint8Array(await seal(await keySecrets(this.env), JSON.stringify(secrets)));
  }

  async #secrets({ sealedSecrets, service }: SourceRecord): Promise<readonly string[]> {
    if (sealedSecrets === null) return [];
    if (this.#opened?.sealed === sealedSecrets) return this.#opened.secrets;
    const text = await unseal(await keySecrets(this.env), sealedSecrets);
    if (text === null)
      log("error", "secrets of a source cannot be read: the deployment's secret was retired", { service });
    const secrets = text === null ? [] : (JSON.parse(text) as string[]);
    this.#opened = { sealed: sealedSecrets, secrets };
    return secrets;
  }
}

/** A source may be without secrets, and then refuses; those it has must be of use. */
function problemsOf(verification: Verification, secrets: readonly string[]): SettingsProblem[] {
  if (secrets.length === 0) return [];
  return secretProblems(verification, secrets).map(({ path, message }) => ({ path: ["secrets", ...path], message }));
}
