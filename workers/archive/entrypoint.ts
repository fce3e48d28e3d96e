// The archive Worker: the stateless entrypoint between environments' objects and the history in Postgres. Objects never
// call out themselves, and nothing in routing waits for this Worker.
import { WorkerEntrypoint } from "cloudflare:workers";
import type {
  ArchivedRows,
  ArchiveRpc,
  Forgetting,
  HistoryEventsQuery,
  HistoryHour,
  HistoryPage,
  HistoryQuery,
  HistoryRunsQuery,
} from "../../shared/contracts/archive.ts";
import { createClient } from "../../shared/db/client.ts";
import { type Env, parseDatabaseSettings } from "../env.ts";
import { forget } from "./forget.ts";
import { exportRuns, getEvent, getRun, hours, listEvents, listRuns, type Store } from "./read.ts";
import { Months, store } from "./store.ts";

/** Postgres at Neon may have to wake up first. */
const ANSWERS_WITHIN_MS = 30_000;

const months = new Months();

export class Archive extends WorkerEntrypoint<Env> implements ArchiveRpc {
  async store(environmentId: string, rows: ArchivedRows): Promise<void> {
    try {
      await store({ ...this.#place(), months }, environmentId, rows);
    } catch (error) {
      // Another isolate may have dropped a month that this one remembers.
      months.forget();
      throw error;
    }
  }

  async forget(forgetting: Forgetting): Promise<boolean> {
    const { complete, dropped } = await forget(this.#place(), forgetting);
    if (dropped) months.forget();
    return complete;
  }

  listRuns(environmentId: string, query: HistoryRunsQuery): Promise<HistoryPage> {
    return listRuns(this.#place(), environmentId, query);
  }

  exportRuns(environmentId: string, query: HistoryQuery): Promise<HistoryPage> {
    return exportRuns(this.#place(), environmentId, query);
  }

  listEvents(environmentId: string, query: HistoryEventsQuery): Promise<HistoryPage> {
    return listEvents(this.#place(), environmentId, query);
  }

  getRun(environmentId: string, id: number): Promise<string | null> {
    return getRun(this.#place(), environmentId, id);
  }

  getEvent(environmentId: string, id: number | null, senderId: string): Promise<string | null> {
    return getEvent(this.#place(), environmentId, id, senderId);
  }

  hours(environmentId: string, from: number, to: number): Promise<readonly HistoryHour[]> {
    return hours(this.#place().client, environmentId, from, to);
  }

  #place(): Store {
    const client = createClient(parseDatabaseSettings(this.env), AbortSignal.timeout(ANSWERS_WITHIN_MS));
    return { client, bucket: this.env.HISTORY_BUCKET };
  }
}
