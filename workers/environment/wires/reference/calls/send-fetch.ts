// SEND_FETCH: `ctx.fetch` and `fetch` inside a run. The request is stored with its secure strings masked. The joined strings
// are stored sealed until the answer is there, because an attempt may have to be made again.
import { utf8Length } from "../../../../../shared/kernel/canonical-json.ts";
import { FETCH_CUT_OFF_AFTER_MS, VALUE_MAX_BYTES } from "../../../../../shared/kernel/limits.ts";
import { hasSecrets, joinedHeaders, maskedHeaders, Retry } from "../../../../../shared/wire/reference/fetch.ts";
import { SendFetch } from "../../../../../shared/wire/reference/host-calls.ts";
import type { FetchDetail } from "../../../runs/fetches.ts";
import { requestAnswer } from "../../../runs/pending-answers.ts";
import { endRun } from "../../../runs/run-rows.ts";
import { findStep } from "../../../runs/step-rows.ts";
import { type RunCallHandler, runCall } from "./call.ts";

const KIND = "FETCH_REQUEST";

const { answer } = runCall(SendFetch, ({ context, turn, host, held, data, now, prepared }) => {
  const { url, method, headers, body, retry } = data.fetch;
  const text = body === undefined || body === null ? null : JSON.stringify(body);
  if (utf8Length(text ?? "") > VALUE_MAX_BYTES) {
    const message = `the body of a fetch has more than ${VALUE_MAX_BYTES} bytes`;
    endRun(context, turn, held.run, { status: "ERROR", error: { name: "RequestTooLarge", message } }, now);
    return false;
  }
  const detail: FetchDetail = {
    request: { url, method, headers: maskedHeaders(headers) },
    body: text,
    retry: retry ?? Retry.parse({}),
  };
  const isNew = requestAnswer(context, turn, host, held, {
    run: held.run,
    kind: KIND,
    key: data.key,
    attempt: held.attempt,
    now,
    // The first call is made as soon as this is stored.
    dueAt: now + FETCH_CUT_OFF_AFTER_MS,
    tries: 1,
    detail: { ...detail },
    sealed: prepared,
  });
  if (isNew) {
    const step = findStep(context, held.run, KIND, data.key);
    if (step) turn.afterwards(() => context.perform(step));
  }
  return true;
});

export const sendFetch: RunCallHandler = {
  answer,
  prepare: (context, data) => {
    const parsed = SendFetch.safeParse(data);
    if (!parsed.success || !hasSecrets(parsed.data.fetch.headers)) return null;
    return context.seal(JSON.stringify(joinedHeaders(parsed.data.fetch.headers)));
  },
};
