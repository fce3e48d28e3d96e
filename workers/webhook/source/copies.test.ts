import { describe, expect, it } from "vitest";
import type { Copy, CopyState } from "../../../shared/contracts/webhook-source.ts";
import { deliveryEventId } from "../../../shared/ids/source-ids.ts";
import { REDELIVERIES_MAX } from "../../../shared/kernel/limits.ts";
import { afterTry, dueCopies, firstCopies, nextDue, redelivered, statusOf, withTried } from "./copies.ts";
import { RETRY_WAITS_MS } from "./retry-times.ts";

const live = { id: "env_1", slug: "live" };
const development = { id: "env_2", slug: "development" };
const copy = (state: CopyState, change: Partial<Copy> = {}): Copy => ({
  environment: live,
  number: 0,
  state,
  attempts: 1,
  dueAt: state === "pending" ? 5 : null,
  ...change,
});
const ofDevelopment = (state: CopyState, change: Partial<Copy> = {}) =>
  copy(state, { environment: development, ...change });

describe("a copy", () => {
  it.each(["accepted", "conflict", "too large", "not received", "gone"] as const)(
    "that is answered %s is done",
    (o) => {
      const [first] = firstCopies([live], 0);
      expect(first && afterTry(first, o, 0, 0)).toEqual(copy(o));
    },
  );

  it("that failed is due again, and parked after the last try", () => {
    let [tried] = firstCopies([live], 0);
    const times: (number | null)[] = [];
    while (tried?.state === "pending") {
      tried = afterTry(tried, "failed", tried.dueAt ?? 0, 0);
      times.push(tried.dueAt);
    }
    expect(tried).toMatchObject({ state: "parked", attempts: RETRY_WAITS_MS.length + 1, dueAt: null });
    expect(times.slice(0, 3)).toEqual([5_000, 35_000, 155_000]);
  });

  it("is due by its own time, whatever the other's is", () => {
    const copies = [copy("pending", { dueAt: 10 }), ofDevelopment("pending", { dueAt: 90 })];
    expect(dueCopies(copies, 10)).toEqual([copies[0]]);
    expect(nextDue(copies)).toBe(10);
    expect(nextDue([copy("accepted"), ofDevelopment("parked")])).toBeNull();
  });

  it("that was tried takes its place, and leaves alone what was added meanwhile", () => {
    const added = copy("pending", { number: 1 });
    expect(withTried([copy("pending"), added], [copy("accepted")])).toEqual([copy("accepted"), added]);
  });
});

describe("a delivery is shown as", () => {
  it.each([
    ["pending", [copy("pending"), ofDevelopment("accepted")]],
    ["pending", [copy("pending"), ofDevelopment("parked")]],
    ["parked", [copy("parked"), ofDevelopment("accepted")]],
    ["parked", [copy("parked"), ofDevelopment("gone")]],
    ["refused", [copy("too large"), ofDevelopment("accepted")]],
    ["delivered", [copy("accepted"), ofDevelopment("accepted")]],
    ["delivered", []],
    // A later copy counts, an earlier one does not.
    ["delivered", [copy("not received"), copy("accepted", { number: 1 })]],
    ["refused", [copy("accepted"), copy("gone", { number: 1 })]],
    ["pending", [copy("pending"), copy("accepted", { number: 1 })]],
  ] as const)("%s", (status, copies) => {
    expect(statusOf(copies)).toBe(status);
  });
});

describe("a redelivery", () => {
  it("makes a new copy for an environment that has one, and none for the other", () => {
    const copies = [copy("accepted"), ofDevelopment("accepted")];
    const after = redelivered(copies, [live], 7);
    expect(after).toEqual([...copies, copy("pending", { number: 1, attempts: 0, dueAt: 7 })]);
    expect(after?.map(({ number }) => deliveryEventId("dlv_x", number))).toEqual(["dlv_x", "dlv_x", "dlv_x_1"]);
  });

  it("tries a parked copy again as itself, with all its tries", () => {
    expect(redelivered([copy("parked", { attempts: 11 })], [live], 7)).toEqual([
      copy("pending", { attempts: 0, dueAt: 7 }),
    ]);
  });

  it("hurries a copy that is still owed", () => {
    expect(redelivered([copy("pending", { dueAt: 9_000 })], [live], 7)).toEqual([
      copy("pending", { attempts: 0, dueAt: 7 }),
    ]);
  });

  it("reaches an environment that was added since", () => {
    expect(redelivered([copy("accepted")], [development], 7)).toEqual([
      copy("accepted"),
      ofDevelopment("pending", { number: 1, attempts: 0, dueAt: 7 }),
    ]);
  });

  it("is not made without end, but a parked copy can always be tried again", () => {
    const copies = [copy("accepted", { number: REDELIVERIES_MAX }), ofDevelopment("parked")];
    expect(redelivered(copies, [live], 7)).toBeNull();
    expect(redelivered(copies, [development], 7)).not.toBeNull();
  });
});
