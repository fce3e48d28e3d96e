// SEND_KV_GET, SEND_KV_SET, SEND_KV_DELETE: the key-value items of an environment. Each operation is a step: a replayed
// `get` returns the value of the first time, and a replayed `set` or `delete` changes nothing.
import { utf8Length } from "../../../../../shared/kernel/canonical-json.ts";
import { VALUE_MAX_BYTES } from "../../../../../shared/kernel/limits.ts";
import { KvDelete, KvGet, KvSet } from "../../../../../shared/wire/reference/host-calls.ts";
import { noteProgress } from "../../../runs/lost-runs.ts";
import { sendAnswer } from "../../../runs/pending-answers.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { addFinishedStep, findStep } from "../../../runs/step-rows.ts";
import { type Call, runCall } from "./call.ts";

type KvKind = "KV_GET" | "KV_SET" | "KV_DELETE";
interface Item {
  readonly namespace: string;
  readonly key: string;
}

export const kvGet = runCall(KvGet, (call) =>
  once(call, "KV_GET", call.data.get, ({ sql }, { namespace, key }) => {
    const [item] = sql.exec<{ value: string }>(
      "SELECT value FROM items WHERE namespace = ? AND key = ?",
      namespace,
      key,
    );
    return item?.value ?? null;
  }),
);

export const kvSet = runCall(KvSet, (call) => {
  const value = JSON.stringify(call.data.set.value) ?? "null";
  const bytes = utf8Length(value);
  if (bytes > VALUE_MAX_BYTES) {
    const message = `an item has ${bytes} bytes; it may have ${VALUE_MAX_BYTES} at most`;
    endRun(
      call.context,
      call.turn,
      call.held.run,
      { status: "ERROR", error: { name: "ItemTooLarge", message } },
      call.now,
    );
    return false;
  }
  return once(call, "KV_SET", call.data.set, ({ sql }, { namespace, key }) => {
    sql.exec(
      "INSERT INTO items VALUES (?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value",
      namespace,
      key,
      value,
    );
    return null;
  });
});

export const kvDelete = runCall(KvDelete, (call) =>
  once(call, "KV_DELETE", call.data.delete, ({ sql }, { namespace, key }) => {
    sql.exec("DELETE FROM items WHERE namespace = ? AND key = ?", namespace, key);
    return null;
  }),
);

/** Carries out the operation the first time its step is named. Sends the stored result every time. */
function once<T extends { runId: string; key: string }>(
  { context, turn, host, held, data, now }: Call<T>,
  kind: KvKind,
  item: Item,
  operate: (context: Call<T>["context"], item: Item) => string | null,
): boolean {
  const done = findStep(context, held.run, kind, data.key);
  let result = done?.result ?? null;
  if (!done) {
    result = operate(context, item);
    const detail = { namespace: item.namespace, key: item.key };
    addFinishedStep(context, {
      run: held.run,
      kind,
      key: data.key,
      attempt: held.attempt,
      now,
      detail: { item: detail },
      result,
    });
    noteProgress(context, turn, held);
  }
  sendAnswer(context, turn, host, { run: held.run, kind, key: data.key, failed: 0, result });
  return true;
}
