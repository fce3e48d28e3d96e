// The Environment object: the whole truth about one environment, in one SQLite-backed Durable Object named by the
// environment's id. Isolation is by construction: there is no query here that could read across environments.
//
// The class is a shell. It parses, calls a module and returns; the modules beside it do the work.
import { DurableObject } from "cloudflare:workers";
import type { Activity } from "../../shared/api/activity.ts";
import type {
  AcceptedEvent,
  EventOutcome,
  EventSummary,
  EventsQuery,
  Explanation,
  NewEvent,
} from "../../shared/api/events.ts";
import type { RunSummary, RunsPageQuery, RunsQuery } from "../../shared/api/runs.ts";
import type { ScheduleDetails, SchedulesPage, SchedulesQuery } from "../../shared/api/schedule-details.ts";
import type { WorkflowsPage, WorkflowsQuery } from "../../shared/api/workflows.ts";
import type { ArchiveRpc, HistoryHour } from "../../shared/contracts/archive.ts";
import {
  type Answer,
  type Archived,
  CONNECT_KEY_HEADER,
  CONNECT_VERSION_HEADER,
  type Delivery,
  type DeliveryOutcome,
  type EnvironmentRpc,
  type EnvironmentState,
  type ExportQuery,
  type Found,
  type HistoryStatus,
  MEMBER,
  type NeededScope,
  type RunChange,
  type Slice,
  type TestPayload,
  WATCH_PATH,
  type WorkflowChange,
  type WorkflowChanged,
  type WorkflowTested,
} from "../../shared/contracts/environment.ts";
import { bookName, type Emitted, type Held } from "../../shared/contracts/schedule-book.ts";
import type { WebhookTrigger } from "../../shared/contracts/webhook-source.ts";
import { nextSequence } from "../../shared/ids/ids.ts";
import { deriveApiKey } from "../../shared/ids/keys.ts";
import { sourceName } from "../../shared/ids/source-ids.ts";
import { followClock, machineTime, now } from "../../shared/kernel/clock.ts";
import { RETRY_FAILED_WORK_MS, START_WRITTEN_AFTER_MS, STORAGE_FULL_PART } from "../../shared/kernel/limits.ts";
import { errorName, log, setLogLevel } from "../../shared/kernel/log.ts";
import { seal, unseal } from "../../shared/kernel/seal.ts";
import type { OutgoingRpc } from "../../shared/wire/reference/fetch.ts";
import { type Env, keySecrets, parseHistorySettings, parseSettings } from "../env.ts";
import { systemTime } from "../platform/time.ts";
import { dueWork, nextStoredTime, writeLongStarts } from "./clock/due-work.ts";
import { cancelRun, changeWorkflow, isForgotten, rerunRun, testWorkflow, waitForRuns } from "./control/manage-runs.ts";
import { acceptEvent, CUSTOM, explainEvent } from "./events/accept-event.ts";
import { receiveDelivery } from "./events/receive-delivery.ts";
import { type Drained, drain } from "./history/drain.ts";
import { historyStatus, unarchivedHours } from "./history/report.ts";
import { noteAnnouncement } from "./notices/source-notices.ts";
import { dispatchWorkflow } from "./runs/dispatch.ts";
import { callsCutOff, performFetch } from "./runs/fetches.ts";
import { requeueLostRuns } from "./runs/lost-runs.ts";
import { indexOpenRuns } from "./runs/run-rows.ts";
import {
  dueSchedules,
  emitSchedule,
  fireSchedule,
  listSchedules,
  nextScheduledTime,
  owedWake,
  postponeWake,
  readSchedule,
  settleWake,
  switchSchedule,
  takeSchedules,
  writeOwedWake,
} from "./schedules/registered.ts";
import { ActiveKeys } from "./state/active-keys.ts";
import { type CommitHooks, Commits, type Turn } from "./state/commits.ts";
import type { EnvironmentContext } from "./state/context.ts";
import type { HeldRun, Host, HostSocket } from "./state/host.ts";
import { Hosts } from "./state/hosts.ts";
import { KeyUses } from "./state/key-uses.ts";
import { nextLivenessTime } from "./state/liveness-times.ts";
import { OpenRunIndex } from "./state/open-run-index.ts";
import { RunQueue } from "./state/run-queue.ts";
import { RunWaiters } from "./state/run-waiters.ts";
import { Watchers } from "./state/watchers.ts";
import { Workflows } from "./state/workflows.ts";
import { HistoryClock } from "./storage/history-cursor.ts";
import { deleteStorage, migrate, storageState } from "./storage/migrate.ts";
import type { StepRow } from "./storage/rows.ts";
import { readIdentity, receivesSchedules, writeState } from "./storage/settings.ts";
import { readActivity } from "./views/activity.ts";
import { listEvents, readEventJson } from "./views/events.ts";
import { exportRuns, readRunJson } from "./views/run.ts";
import { listRuns, listRunsByPage } from "./views/runs.ts";
import { listWorkflows } from "./views/workflows.ts";
import { greetingFrame, referenceWire } from "./wires/reference/encoder.ts";
import { receiveFrame } from "./wires/reference/receive-frame.ts";

/** How old the numbers of the last hour may be: every open page asks for them again and again. */
const ACTIVITY_KEPT_MS = 2_000;
/** How often the object looks how full its storage is. */
const MEASURED_EVERY_MS = 1_000;

export class Environment extends DurableObject<Env> implements EnvironmentRpc {
  readonly #keys = new ActiveKeys();
  readonly #keyUses = new KeyUses();
  readonly #keyTexts = new Map<string, string>();
  /** Null until the environment is provisioned, and again after it was deleted. */
  #context: EnvironmentContext | null = null;
  /** The machine time the alarm is set to, or null. Asked of the platform once. */
  #alarmAt: number | null = null;
  /** Services whose source is being told. */
  readonly #announcing = new Set<string>();
  readonly #watchers: Watchers;
  #activity: { readonly at: number; readonly value: Activity } | null = null;
  /** Where history goes. Not the platform's to call: a test puts its own here. */
  archiver: ArchiveRpc = archiveOf(this.ctx);
  /** The look after history that is under way. */
  #draining: Promise<Drained> | null = null;
  #eventsSinceDrain = 0;
  #measured = { at: 0, full: false };
  /** Looks after the runs that hosts hold. In memory, and only while there are any: an alarm would be a row for each. */
  #watch: ReturnType<typeof setTimeout> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    setLogLevel(parseSettings(env).LOG_LEVEL);
    this.#watchers = new Watchers(ctx, systemTime);
    if (storageState(ctx.storage.sql) !== "provisioned") return;
    ctx.blockConcurrencyWhile(async () => {
      migrate(ctx.storage);
      this.#alarmAt = await ctx.storage.getAlarm();
      await this.#open();
      await this.#takeUpWork();
    });
  }

  // ---- The control plane ----

  async provision(state: EnvironmentState): Promise<{ revision: number }> {
    const { sql } = this.ctx.storage;
    if (storageState(sql) === "deleted") throw new Error("the environment was deleted");
    const revision = this.ctx.storage.transactionSync(() => {
      migrate(this.ctx.storage);
      const received = receivesSchedules(sql);
      const written = writeState(sql, state, now());
      if (written.isNew && takeSchedules(sql, state, received, now())) {
        writeOwedWake(sql, this.#context?.nextNumber() ?? nextSequence(0, now()), now());
      }
      return written.revision;
    });
    if (this.#context === null) await this.#open();
    else {
      this.#keys.load(sql);
      this.#context = { ...this.#context, identity: readIdentity(sql) };
    }
    await this.#closeRefused();
    if (this.#context) await this.#scheduleAlarm(this.#context);
    // Not in force before the book knows when to ask: the control plane pushes again.
    if (this.#context) await this.#tellBook(this.#context);
    return { revision };
  }

  async keyUses(): Promise<Record<string, number>> {
    return this.#keyUses.all(connectedKeys(this.#context), now());
  }

  async deprovision(): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) socket.close(4001, "the environment was deleted");
    this.#context = null;
    await this.ctx.storage.deleteAlarm();
    this.ctx.storage.transactionSync(() => deleteStorage(this.ctx.storage.sql, now()));
  }

  /** Called by the console, on demand. */
  async archive(): Promise<Archived> {
    return this.#context === null ? "gone" : this.#drain(false);
  }

  async clockMoved(): Promise<void> {
    if (this.#context) await this.#fireDue(this.#context);
  }

  /** Called by webhook sources only: no route leads here. */
  async receiveDelivery(delivery: Delivery): Promise<DeliveryOutcome> {
    const context = this.#context;
    if (context === null) return { outcome: "gone" };
    if (this.#isFull(context)) return { outcome: "failed" };
    this.#gathered(context);
    return context.commits
      .run((turn) => receiveDelivery(context, turn, delivery, now()))
      .catch((): DeliveryOutcome => ({ outcome: "failed" }));
  }

  /** Called by schedule books only. Each schedule is a commit's operation of its own: one that fails is due at the next tick. */
  async emitSchedules(time: number): Promise<Emitted> {
    const context = this.#context;
    if (context === null) return "gone";
    // What is due stays so at a full object, and its latest time is emitted when there is room.
    const due = this.#isFull(context) ? [] : dueSchedules(context, time);
    const emitted = await Promise.all(
      due.map((id) => context.commits.run((turn) => emitSchedule(context, turn, id, time, now())).catch(() => false)),
    );
    const next = { at: nextScheduledTime(context.sql), version: context.nextNumber() };
    return { next, events: emitted.filter(Boolean).length };
  }

  // ---- Calls with an API key ----

  postEvents(keyId: string, events: readonly NewEvent[]): Promise<Answer<EventOutcome[]>> {
    return this.#authorized(keyId, "events:send", (context) =>
      this.#isFull(context)
        ? events.map((): EventOutcome => ({ outcome: "full" }))
        : Promise.all(events.map((event) => this.#accept(context, event))),
    );
  }

  getRun(keyId: string, id: string): Promise<Answer<Found>> {
    return this.#authorized(keyId, "runs:read", (context) => {
      const json = readRunJson(context, id, now());
      if (json !== null) return { json };
      return isForgotten(context, id) ? ("forgotten" as const) : null;
    });
  }

  exportRuns(keyId: string, query: ExportQuery): Promise<Answer<Slice<string> | "no such cursor">> {
    return this.#authorized(
      keyId,
      "runs:read",
      (context) => exportRuns(context, query, now()) ?? ("no such cursor" as const),
    );
  }

  readHistoryStatus(keyId: string): Promise<Answer<HistoryStatus>> {
    const { STORAGE_MAX_BYTES } = parseHistorySettings(this.env);
    return this.#authorized(keyId, "runs:read", (context) => historyStatus(context, STORAGE_MAX_BYTES));
  }

  readHours(keyId: string, from: number, to: number): Promise<Answer<readonly HistoryHour[]>> {
    return this.#authorized(keyId, "runs:read", (context) => unarchivedHours(context, from, to));
  }

  listEvents(keyId: string, query: EventsQuery): Promise<Answer<Slice<EventSummary> | "no such cursor">> {
    return this.#authorized(
      keyId,
      "runs:read",
      (context) => listEvents(context, query, now()) ?? ("no such cursor" as const),
    );
  }

  getEvent(keyId: string, id: string): Promise<Answer<Found>> {
    return this.#authorized(keyId, "runs:read", (context) => readEventJson(context, id, now()));
  }

  listRuns(keyId: string, query: RunsQuery): Promise<Answer<Slice<RunSummary> | "no such cursor">> {
    return this.#authorized(
      keyId,
      "runs:read",
      (context) => listRuns(context, query, null, now()) ?? ("no such cursor" as const),
    );
  }

  listWorkflowRuns(
    keyId: string,
    slug: string,
    query: RunsQuery,
  ): Promise<Answer<Slice<RunSummary> | "no such cursor" | "no such workflow">> {
    return this.#authorized(keyId, "runs:read", (context) => {
      const workflow = context.workflows.bySlug(slug);
      if (!workflow) return "no such workflow" as const;
      return listRuns(context, query, workflow.number, now()) ?? ("no such cursor" as const);
    });
  }

  pageWorkflowRuns(
    keyId: string,
    slug: string,
    query: RunsPageQuery,
  ): Promise<Answer<{ data: RunSummary[]; totalCount: number } | null>> {
    return this.#authorized(keyId, "runs:read", (context) => {
      const workflow = context.workflows.bySlug(slug);
      return workflow ? listRunsByPage(context, workflow.number, query, now()) : null;
    });
  }

  listWorkflows(keyId: string, query: WorkflowsQuery): Promise<Answer<WorkflowsPage>> {
    return this.#authorized(keyId, "runs:read", (context) => listWorkflows(context, query, now()));
  }

  checkKey(keyId: string, scope: NeededScope): Promise<Answer<null>> {
    return this.#authorized(keyId, scope, () => null);
  }

  explainEvent(keyId: string, event: NewEvent): Promise<Answer<Explanation[]>> {
    return this.#authorized(keyId, "events:send", (context) => explainEvent(context, event, CUSTOM));
  }

  waitForRuns(
    keyId: string,
    ids: readonly string[],
    waitMs: number,
  ): Promise<Answer<{ ended: boolean; outcomes: string }>> {
    return this.#authorized(keyId, "events:send", (context) => waitForRuns(context, ids, waitMs, now));
  }

  cancelRun(keyId: string, id: string): Promise<Answer<RunChange>> {
    return this.#changing(keyId, (context, turn) => cancelRun(context, turn, id, now()));
  }

  rerunRun(keyId: string, id: string): Promise<Answer<RunChange>> {
    return this.#changing(keyId, (context, turn) => rerunRun(context, turn, id, now()));
  }

  changeWorkflow(keyId: string, slug: string, change: WorkflowChange): Promise<Answer<WorkflowChanged>> {
    return this.#changing(keyId, (context, turn) => changeWorkflow(context, turn, slug, change, now()));
  }

  readActivity(keyId: string): Promise<Answer<Activity>> {
    return this.#authorized(keyId, "runs:read", (context) => {
      const at = now();
      if (this.#activity === null || Math.abs(at - this.#activity.at) > ACTIVITY_KEPT_MS) {
        this.#activity = { at, value: readActivity(context, at) };
      }
      return this.#activity.value;
    });
  }

  testWorkflow(keyId: string, slug: string, test: TestPayload): Promise<Answer<WorkflowTested>> {
    return this.#changing(keyId, (context, turn) => testWorkflow(context, turn, slug, test, now()));
  }

  listSchedules(keyId: string, query: SchedulesQuery): Promise<Answer<SchedulesPage>> {
    return this.#authorized(keyId, "runs:read", (context) => listSchedules(context, query, now()));
  }

  switchSchedule(keyId: string, id: string, enabled: boolean): Promise<Answer<ScheduleDetails | null>> {
    return this.#changing(keyId, (context, turn) => {
      switchSchedule(context, turn, id, enabled, now());
      return readSchedule(context, id, now());
    });
  }

  fireSchedule(keyId: string, id: string): Promise<Answer<AcceptedEvent | null>> {
    return this.#changing(keyId, (context, turn) => fireSchedule(context, turn, id, now()));
  }

  // ---- Hosts ----

  /** The WebSocket upgrade of a host whose key's tag the ingress has verified. 401 when the key is not active. */
  override async fetch(request: Request): Promise<Response> {
    const keyId = request.headers.get(CONNECT_KEY_HEADER) ?? "";
    const secretVersion = Number(request.headers.get(CONNECT_VERSION_HEADER));
    const context = this.#context;
    if (context === null) return new Response(null, { status: 401 });
    if (new URL(request.url).pathname === WATCH_PATH) return this.#watchers.accept();
    const refusal = this.#keys.refusal(keyId, "workflows:connect", now());
    if (refusal) return new Response(null, { status: refusal === "key" ? 401 : 403 });
    await this.#rememberKeyText(context, keyId, secretVersion);

    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const { origin } = new URL(request.url);
    this.#keyUses.note(context.sql, keyId, now());
    const host = { id: context.nextNumber(), keyId, secretVersion, origin, connectedAt: now() };
    context.hosts.add(server, host);
    context.hosts.save();
    server.send(greetingFrame(host));
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const host = this.#context?.hosts.of(socket);
    const context = this.#context;
    if (!context || !host) return;
    // Revocation is immediate, also for a socket whose close has not arrived yet.
    if (this.#keys.refusal(host.keyId, "workflows:connect", now())) return this.#refuseHost(host);
    await receiveFrame(context, host, message, now);
    // A commit that is about to be made saves the hosts, and until then the object does not hibernate.
    if (!context.commits.pending) context.hosts.save();
    this.#watchers.hint();
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    if (socket.readyState !== WebSocket.CLOSED) answerClose(socket, code, reason);
    if (this.#watchers.has(socket)) return this.#watchers.remove(socket);
    await this.#hostLost(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    if (this.#watchers.has(socket)) return this.#watchers.remove(socket);
    await this.#hostLost(socket);
  }

  // ---- Time ----

  /** Never throws: the platform drops an alarm after six failures. What failed is tried again at the next alarm. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const context = this.#context;
    if (context === null) return;
    try {
      await this.#fireDue(context);
    } catch (error) {
      log("error", "alarm failed", { environment: context.identity.environmentId, name: errorName(error) });
      await this.#setAlarm(machineTime(now()) + RETRY_FAILED_WORK_MS);
    }
  }

  async #fireDue(context: EnvironmentContext): Promise<void> {
    await this.#closeRefused();
    const work = dueWork(context, now()).map((execute) => context.commits.run(execute));
    const failed = (await Promise.allSettled(work)).some(({ status }) => status === "rejected");
    // Awake anyway: the next probe is due by this alarm too. What failed is still due, and is not tried at once again.
    await this.#scheduleAlarm(context, nextLivenessTime(context), failed ? now() + RETRY_FAILED_WORK_MS : 0);
  }

  async #scheduleAlarm(context: EnvironmentContext, also: number | null = null, notBefore = 0): Promise<void> {
    // Deleted meanwhile: there is nothing left to wait for.
    if (this.#context === null) return;
    const times = [nextStoredTime(context), this.#keys.nextExpiry(now()), also].filter((time) => time !== null);
    const due = times.length === 0 ? null : Math.min(...times);
    if (due !== null) await this.#setAlarm(machineTime(Math.max(due, notBefore)));
  }

  /**
   * Some seconds after runs were offered: writes down the starts of those that still run, and has the alarm look after
   * their hosts from then on, so that the object can hibernate. A short run never costs more than this timer.
   */
  #keepWatch(context: EnvironmentContext): void {
    if (this.#watch !== null || !context.hosts.held.needWatching()) return;
    this.#watch = setTimeout(() => {
      this.#watch = null;
      this.ctx.waitUntil(this.#lookAfterRuns(context));
    }, START_WRITTEN_AFTER_MS);
  }

  async #lookAfterRuns(context: EnvironmentContext): Promise<void> {
    if (this.#context === null) return;
    const checks = nextLivenessTime(context);
    if (checks !== null && checks <= now()) await this.#fireDue(context);
    await context.commits.run((turn) => {
      writeLongStarts(context, turn, now());
      turn.apply(() => context.hosts.held.watched());
    });
    await this.#scheduleAlarm(context, nextLivenessTime(context));
  }

  /** One alarm per object, set only when it becomes earlier: setting it is a row. */
  async #setAlarm(at: number): Promise<void> {
    // An alarm set to the present from inside an alarm would not fire.
    const time = Math.max(at, Date.now() + 1);
    if (this.#alarmAt !== null && this.#alarmAt <= time) return;
    this.#alarmAt = time;
    await this.ctx.storage.setAlarm(time);
  }

  // ---- Inside ----

  /** Takes up a provisioned environment: its identity, its keys, and the sockets that survived. */
  async #open(): Promise<void> {
    const { storage } = this.ctx;
    const identity = readIdentity(storage.sql);
    this.#keys.load(storage.sql);
    this.#keyUses.load(storage.sql);
    let last = lastNumber(storage.sql);
    const hooks: CommitHooks = {
      dispatch: (workflows, turn) => this.#dispatch(workflows, turn),
      settled: () => this.#settled(),
      failed: (error) => {
        context.workflows.forget();
        context.openRunIndex.recount();
        log("error", "operation failed", { environment: identity.environmentId, name: errorName(error) });
      },
    };
    const commits = new Commits(storage, hooks, systemTime);
    const context: EnvironmentContext = {
      sql: storage.sql,
      identity,
      ...systemTime,
      random: Math.random,
      commits,
      hosts: new Hosts(referenceWire, (workflow) => context.queue.state(workflow)),
      workflows: new Workflows(storage.sql),
      queue: new RunQueue((workflow) => context.hosts.noteSearch(workflow)),
      openRunIndex: new OpenRunIndex(storage.sql, (until) => indexOpenRuns(storage, until)),
      runWaiters: new RunWaiters(systemTime.timers),
      nextNumber: () => {
        last = nextSequence(last, now());
        return last;
      },
      keyText: (keyId) => this.#keyTexts.get(keyId) ?? "",
      outgoing: outgoingOf(this.ctx),
      history: new HistoryClock(parseHistorySettings(this.env).ARCHIVE_EVERY_MINUTES * 60_000),
      archive: () => this.ctx.waitUntil(this.#drain(true)),
      perform: (step) => this.#perform(step),
      announce: (trigger) => this.#announce(trigger),
      wake: () => this.ctx.waitUntil(this.#tellBook(context).catch(() => {})),
      seal: async (text) => seal(await keySecrets(this.env), text),
      unseal: async (sealed) => unseal(await keySecrets(this.env), sealed),
    };
    this.#context = context;
    const sockets = this.ctx.getWebSockets().filter((socket) => !this.#watchers.has(socket));
    context.hosts.restore(sockets, (workflow, search) => context.queue.resume(workflow, search));
    for (const host of context.hosts.all()) await this.#rememberKeyText(context, host.keyId, host.secretVersion);
    if (parseSettings(this.env).CLOCK === "movable") followClock(identity.environmentId);
  }

  /** After a start: makes again the calls that were cut off, and does what came due meanwhile. */
  async #takeUpWork(): Promise<void> {
    const context = this.#context;
    if (context === null) return;
    for (const step of callsCutOff(context, now())) this.#perform(step);
    context.wake();
    const toLookThrough = context.queue.toLookThrough();
    if (toLookThrough.size > 0) {
      void context.commits.run((turn) => {
        for (const workflow of toLookThrough) turn.dispatch(workflow);
      });
    }
    await this.#scheduleAlarm(context);
    this.#keepWatch(context);
  }

  /** One at a time. On demand, also what is young is gone past. */
  #drain(patient: boolean): Promise<Drained> {
    const context = this.#context;
    if (context === null) return Promise.resolve({ runs: 0, events: 0, complete: false });
    // Also when one is under way: the alarm that came to take it up again comes later again.
    context.history.begin(now());
    if (this.#draining !== null) return this.#draining;
    const gone = () => this.#context === null;
    this.#draining = drain(context, this.archiver, { patient, gone }).finally(() => {
      this.#draining = null;
      context.history.end();
      if (this.#context) return this.#scheduleAlarm(this.#context);
    });
    return this.#draining;
  }

  #accept(context: EnvironmentContext, event: NewEvent): Promise<EventOutcome> {
    this.#gathered(context);
    return context.commits
      .run((turn) => acceptEvent(context, turn, event, CUSTOM, now()))
      .catch((): EventOutcome => ({ outcome: "failed" }));
  }

  /** An event more for the archive, which does not wait for its time when there are many. */
  #gathered(context: EnvironmentContext): void {
    this.#eventsSinceDrain += 1;
    if (this.#eventsSinceDrain < parseHistorySettings(this.env).ARCHIVE_AFTER_EVENTS) return;
    this.#eventsSinceDrain = 0;
    context.archive();
  }

  /** Near the platform's limit nothing new is taken, so that what runs can end, and what is old be forgotten. */
  #isFull({ sql }: EnvironmentContext): boolean {
    const at = now();
    if (Math.abs(at - this.#measured.at) >= MEASURED_EVERY_MS) {
      const full = sql.databaseSize >= parseHistorySettings(this.env).STORAGE_MAX_BYTES * STORAGE_FULL_PART;
      this.#measured = { at, full };
    }
    return this.#measured.full;
  }

  #perform(step: StepRow): void {
    const context = this.#context;
    if (context === null) return;
    this.ctx.waitUntil(
      performFetch(context, step, now).catch((error) =>
        log("error", "fetch failed", { environment: context.identity.environmentId, name: errorName(error) }),
      ),
    );
  }

  /** Hosts of one process register many workflows at once: a service is announced by one of them at a time. */
  #announce(trigger: WebhookTrigger): void {
    const context = this.#context;
    if (context === null || this.#announcing.has(trigger.service)) return;
    this.#announcing.add(trigger.service);
    const announced = this.#tellSource(context, trigger).then(
      () => true,
      (error: unknown) => {
        const { environmentId: environment } = context.identity;
        log("warn", "source not told of a workflow", { environment, name: errorName(error) });
        return false;
      },
    );
    const noted = announced.then((succeeded) => {
      this.#announcing.delete(trigger.service);
      if (this.#context) return context.commits.run(() => noteAnnouncement(context, trigger, succeeded, now()));
    });
    this.ctx.waitUntil(noted.catch(() => {}));
  }

  /** Tells the schedule book what is due next, if that is owed. Rejects when the book could not be reached; it stays owed. */
  async #tellBook(context: EnvironmentContext): Promise<void> {
    const owed = owedWake(context.sql);
    if (!owed) return;
    const { organizationId, environmentId } = context.identity;
    const wake = { environmentId, at: nextScheduledTime(context.sql), version: owed.version };
    let held: Held;
    try {
      held = await this.env.SCHEDULE_BOOK.getByName(bookName(organizationId)).wakeAt(wake);
    } catch (error) {
      log("warn", "schedule book not told", { environment: environmentId, name: errorName(error) });
      if (this.#context) await context.commits.run(() => postponeWake(context.sql, now()));
      throw error;
    }
    if (this.#context === null) return;
    if (!(await context.commits.run(() => settleWake(context.sql, wake, held)))) await this.#tellBook(context);
  }

  async #tellSource({ identity }: EnvironmentContext, trigger: WebhookTrigger): Promise<void> {
    const { organizationId, environmentId: id, environmentSlug: slug } = identity;
    const source = this.env.WEBHOOK_SOURCE.getByName(await sourceName(organizationId, trigger.service));
    await source.register({ organizationId, environment: { id, slug }, trigger });
  }

  /** Derives the text of a key, for `ctx.apiKey` of its runs. It stays in memory only. */
  async #rememberKeyText({ identity }: EnvironmentContext, keyId: string, secretVersion: number): Promise<void> {
    if (this.#keyTexts.has(keyId)) return;
    const { environmentId, environmentSlug } = identity;
    const secrets = await keySecrets(this.env);
    this.#keyTexts.set(keyId, await deriveApiKey(secrets, { environmentSlug, environmentId, keyId, secretVersion }));
  }

  async #authorized<T>(
    keyId: string,
    scope: NeededScope,
    work: (context: EnvironmentContext) => T | Promise<T>,
  ): Promise<Answer<T>> {
    const context = this.#context;
    if (context === null) return { ok: false, refused: "key" };
    if (keyId !== MEMBER) {
      const refused = this.#keys.refusal(keyId, scope, now());
      if (refused) return { ok: false, refused };
      this.#keyUses.note(context.sql, keyId, now());
    }
    return { ok: true, value: await work(context) };
  }

  #changing<T>(keyId: string, change: (context: EnvironmentContext, turn: Turn) => T): Promise<Answer<T>> {
    return this.#authorized(keyId, "all", (context) => context.commits.run((turn) => change(context, turn)));
  }

  #dispatch(workflows: ReadonlySet<number>, turn: Turn): void {
    const context = this.#context;
    if (!context) return;
    try {
      for (const workflow of workflows) dispatchWorkflow(context, turn, workflow, now());
    } catch (error) {
      // What was written is undone, for all of them.
      for (const workflow of workflows) context.queue.startAnew(workflow);
      throw error;
    }
  }

  #settled(): void {
    const context = this.#context;
    if (!context) return;
    context.hosts.save();
    this.#watchers.hint();
    this.#keepWatch(context);
    this.ctx.waitUntil(this.#scheduleAlarm(context));
  }

  /** In the next commit, after what the host still sent before it was lost. */
  async #hostLost(socket: HostSocket): Promise<void> {
    const context = this.#context;
    const host = context?.hosts.of(socket);
    if (!context || !host) return;
    this.#keyUses.note(context.sql, host.keyId, now());
    const workflow = host.registration?.workflow;
    const lost: HeldRun[] = [];
    try {
      await context.commits.run((turn) => {
        lost.push(...context.hosts.remove(host));
        if (workflow !== undefined) requeueLostRuns(context, turn, workflow, lost, now());
      });
    } catch {
      // Logged by the commit. The attempts are not counted, but the runs go on.
      if (workflow !== undefined) for (const { run } of lost) context.queue.requeue(workflow, run);
    }
  }

  /** Closes the sockets of keys that are no longer active. Their runs go to others at once. */
  async #closeRefused(): Promise<void> {
    const refused = [...(this.#context?.hosts.all() ?? [])].filter(({ keyId }) =>
      this.#keys.refusal(keyId, "workflows:connect", now()),
    );
    await Promise.all(refused.map((host) => this.#refuseHost(host)));
  }

  #refuseHost(host: Host): Promise<void> {
    host.socket.close(4001, "the API key was revoked or has expired");
    return this.#hostLost(host.socket);
  }
}

/** Answers a close frame in kind, where its code is one that may be sent. */
function answerClose(socket: WebSocket, code: number, reason: string): void {
  const sendable = code === 1000 || (code >= 1001 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006);
  // A reason has 123 bytes at most; a character takes three at most.
  if (sendable || (code >= 3000 && code <= 4999)) socket.close(code, reason.slice(0, 41));
  // A frame without a code is answered by one without: who sent it waits for that.
  else if (code === 1005) socket.close();
}

/** The greatest number that was given and is remembered; also of what is forgotten, so that none is given twice. */
function lastNumber(sql: SqlStorage): number {
  const { last } = sql
    .exec<{ last: number }>(
      `SELECT max(coalesce((SELECT max(id) FROM events), 0), coalesce((SELECT max(id) FROM runs), 0),
         events_until, runs_until, (SELECT until FROM indexed_runs)) AS last FROM history`,
    )
    .one();
  return last;
}

function* connectedKeys(context: EnvironmentContext | null): Iterable<string> {
  if (context) for (const host of context.hosts.all()) yield host.keyId;
}

/** The stateless entrypoints of this same script. */
const entrypoints = (ctx: DurableObjectState) =>
  ctx.exports as unknown as { OutgoingFetch: OutgoingRpc; Archive: ArchiveRpc };
const outgoingOf = (ctx: DurableObjectState): OutgoingRpc => entrypoints(ctx).OutgoingFetch;
const archiveOf = (ctx: DurableObjectState): ArchiveRpc => entrypoints(ctx).Archive;
