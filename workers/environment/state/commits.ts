// Group commit. Operations that arrive while the disk is busy share its next write, and each still fails alone. A lone
// operation waits for nobody.
//
// Promise 1 ("acknowledged means durable") rests on the order here: an operation runs in its own savepoint, the
// callers are answered and the frames sent after the outer transaction, in the same turn, and the platform's output
// gate holds both until the turn's writes are on disk. A frame asked for by an operation that rolled back is never
// sent. Tests: tests/workerd/commits.test.ts.
import { COMMIT_BUSY_MS, COMMIT_WINDOW_MS } from "../../../shared/kernel/limits.ts";
import type { Time } from "../../platform/time.ts";

/** What an operation asks for besides its writes. It takes effect only if the operation succeeded. */
export interface Turn {
  /** Changes the object's memory, right after this operation succeeded and before the next one runs. */
  apply(change: () => void): void;
  /** Does something visible outside (a frame, a log line) once the outer transaction has ended. */
  afterwards(effect: () => void): void;
  /** Has waiting runs of this workflow offered to its hosts at the end of the turn. */
  dispatch(workflow: number): void;
}

/** For what changes memory only: it has no disk to wait for and nothing to roll back. */
export const AT_ONCE: Turn = {
  apply: (change) => change(),
  afterwards: (effect) => effect(),
  dispatch() {
    throw new Error("only a commit dispatches");
  },
};

interface Operation {
  readonly execute: (turn: Turn) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface CommitHooks {
  /** Runs inside the transaction, after the operations, for the workflows they named. */
  readonly dispatch: (workflows: ReadonlySet<number>, turn: Turn) => void;
  /** Runs after the transaction, when all effects were carried out. */
  readonly settled: () => void;
  /** An operation failed with something that is not a refusal. */
  readonly failed: (error: unknown) => void;
}

export class Commits {
  readonly #storage: DurableObjectStorage;
  readonly #hooks: CommitHooks;
  readonly #time: Time;
  #queue: Operation[] = [];
  #scheduled = false;
  #flushedAt = 0;

  constructor(storage: DurableObjectStorage, hooks: CommitHooks, time: Time) {
    this.#storage = storage;
    this.#hooks = hooks;
    this.#time = time;
  }

  /** True while a commit is about to be made. */
  get pending(): boolean {
    return this.#scheduled;
  }

  /** Runs the operation in the next commit. Rejects with what it threw, if it threw; the others are not affected. */
  run<T>(execute: (turn: Turn) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ execute, resolve: (value) => resolve(value as T), reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      const flush = () => this.#flush();
      const { clock, timers } = this.#time;
      // A timer gathers more and costs a request some 2 ms; alone, it would wait for nobody.
      if (clock.machineNow() - this.#flushedAt <= COMMIT_BUSY_MS) timers.after(COMMIT_WINDOW_MS, flush);
      else this.#storage.sync().then(flush, flush);
    });
  }

  #flush(): void {
    const operations = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    this.#flushedAt = this.#time.clock.machineNow();
    const effects: (() => void)[] = [];
    this.#storage.transactionSync(() => {
      const workflows = new Set<number>();
      for (const operation of operations) {
        const done = this.#attempt(operation.execute, workflows);
        if (done.ok) effects.push(...done.effects, () => operation.resolve(done.value));
        else effects.push(() => operation.reject(done.error));
      }
      if (workflows.size === 0) return;
      const dispatched = this.#attempt((turn) => this.#hooks.dispatch(workflows, turn), new Set());
      if (dispatched.ok) effects.push(...dispatched.effects);
    });
    for (const effect of effects) this.#carryOut(effect);
    this.#hooks.settled();
  }

  /** An effect that fails (a socket that will not send) keeps no other from its own. */
  #carryOut(effect: () => void): void {
    try {
      effect();
    } catch (error) {
      this.#hooks.failed(error);
    }
  }

  /** One operation in its savepoint; its changes to memory are made only when the savepoint was released. */
  #attempt(
    execute: (turn: Turn) => unknown,
    workflows: Set<number>,
  ): { ok: true; value: unknown; effects: (() => void)[] } | { ok: false; error: unknown } {
    const changes: (() => void)[] = [];
    const effects: (() => void)[] = [];
    const named: number[] = [];
    const turn: Turn = {
      apply: (change) => changes.push(change),
      afterwards: (effect) => effects.push(effect),
      dispatch: (workflow) => named.push(workflow),
    };
    // The platform hands on a copy of what was thrown through a transaction; whoever asked gets the original.
    let thrown: { readonly error: unknown } | null = null;
    try {
      const value = this.#storage.transactionSync(() => {
        try {
          return execute(turn);
        } catch (error) {
          thrown = { error };
          throw error;
        }
      });
      for (const change of changes) change();
      for (const workflow of named) workflows.add(workflow);
      return { ok: true, value, effects };
    } catch (copy) {
      const { error } = (thrown as { readonly error: unknown } | null) ?? { error: copy };
      this.#hooks.failed(error);
      return { ok: false, error };
    }
  }
}
