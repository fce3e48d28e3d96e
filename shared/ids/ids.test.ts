import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  environmentIdBytes,
  environmentIdFromBytes,
  eventId,
  firstSequenceAt,
  keyIdBytes,
  keyIdFromBytes,
  newEnvironmentId,
  newKeyId,
  newOrganizationId,
  nextSequence,
  parseEventId,
  parseRunId,
  runId,
  sequenceTime,
} from "./ids.ts";

const environment = fc.uint8Array({ minLength: 10, maxLength: 10 }).map(environmentIdFromBytes);
const sequence = fc.maxSafeNat();
const A = "env_00000000000001";
const B = "env_00000000000002";

describe("new ids", () => {
  it.each([
    ["an organization", newOrganizationId, /^org_[0-9A-Za-z]{14}$/],
    ["an environment", newEnvironmentId, /^env_[0-9A-Za-z]{14}$/],
    ["a key", newKeyId, /^key_[0-9A-Za-z]{9}$/],
  ])("have their form and do not repeat: %s", (_, make, form) => {
    const ids = Array.from({ length: 200 }, make);
    for (const id of ids) expect(id).toMatch(form);
    expect(new Set(ids).size).toBe(200);
  });

  it("decode to bytes", () => {
    expect(environmentIdFromBytes(environmentIdBytes(newEnvironmentId()) ?? new Uint8Array())).toMatch(/^env_/);
    expect(keyIdFromBytes(keyIdBytes(newKeyId()) ?? new Uint8Array())).toMatch(/^key_/);
  });
});

describe("ids and their bytes", () => {
  it("round-trip for environments and keys", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (bytes) => {
        expect(environmentIdBytes(environmentIdFromBytes(bytes))).toEqual(bytes);
        const six = bytes.slice(4);
        expect(keyIdBytes(keyIdFromBytes(six))).toEqual(six);
      }),
    );
  });

  it.each([
    "",
    "env_",
    "env_0000000000000",
    "env_000000000000000",
    "env_zzzzzzzzzzzzzz",
    "ENV_00000000000000",
    "org_00000000000000",
    "env-00000000000000",
    " env_00000000000000",
    "env_0000000000000\n",
    "env_0000000000000_",
  ])("reject %j as an environment id", (text) => {
    expect(environmentIdBytes(text)).toBeNull();
  });

  it.each(["", "key_", "key_00000000", "key_0000000000", "key_zzzzzzzzz", "env_000000000", "key_00000000!"])(
    "reject %j as a key id",
    (text) => {
      expect(keyIdBytes(text)).toBeNull();
    },
  );

  it.each([0, 9, 11])("throw for an environment id of %i bytes", (length) => {
    expect(() => environmentIdFromBytes(new Uint8Array(length))).toThrow(RangeError);
  });

  it.each([0, 5, 7])("throw for a key id of %i bytes", (length) => {
    expect(() => keyIdFromBytes(new Uint8Array(length))).toThrow(RangeError);
  });
});

const EPOCH = Date.UTC(2025, 0, 1);

describe("the sequence of an environment", () => {
  it.each([
    ["starts at the clock", 0, EPOCH + 1000, 1000 * 4096],
    ["counts on within a millisecond", 1000 * 4096, EPOCH + 1000, 1000 * 4096 + 1],
    ["follows the clock forward", 1000 * 4096 + 7, EPOCH + 1001, 1001 * 4096],
    ["does not go back with the clock", 1000 * 4096 + 7, EPOCH + 10, 1000 * 4096 + 8],
    ["borrows from the next millisecond when one is full", 1000 * 4096 + 4095, EPOCH + 1000, 1001 * 4096],
    ["ignores fractions of a millisecond", 0, EPOCH + 1000.9, 1000 * 4096],
    ["is positive also at its epoch", 0, EPOCH, 1],
    ["is positive also before its epoch", 0, -5, 1],
  ])("%s", (_, last, now, next) => {
    expect(nextSequence(last, now)).toBe(next);
  });

  it("always grows and never lies before the clock", () => {
    const now = fc.integer({ min: EPOCH, max: EPOCH + 2 ** 41 - 2 });
    fc.assert(
      fc.property(fc.array(now, { minLength: 1, maxLength: 50 }), (clock) => {
        let last = 0;
        for (const ms of clock) {
          const next = nextSequence(last, ms);
          expect(next).toBeGreaterThan(last);
          expect(sequenceTime(next)).toBeGreaterThanOrEqual(ms);
          last = next;
        }
      }),
    );
  });

  it("separates times: numbers below the first of a millisecond are earlier, others are not", () => {
    fc.assert(
      fc.property(sequence, fc.integer({ min: EPOCH, max: EPOCH + 2 ** 41 - 1 }), (number, ms) => {
        expect(number < firstSequenceAt(ms)).toBe(sequenceTime(number) < ms);
      }),
    );
  });

  it("refuses to leave the safe integers", () => {
    expect(() => nextSequence(Number.MAX_SAFE_INTEGER, 0)).toThrow(RangeError);
    expect(() => nextSequence(0, EPOCH + 2 ** 41)).toThrow(RangeError);
    expect(() => nextSequence(0, Number.NaN)).toThrow(RangeError);
    expect(nextSequence(0, EPOCH + 2 ** 41 - 1)).toBe(2 ** 53 - 4096);
  });
});

describe("run and event ids", () => {
  it("contain the environment and the number", () => {
    expect(runId(A, 62)).toBe("run_00000000000001000000010");
    expect(eventId(A, 62)).toBe("evt_00000000000001000000010");
  });

  it("parse in their own environment, as their own kind", () => {
    fc.assert(
      fc.property(environment, sequence, (id, number) => {
        expect(parseRunId(id, runId(id, number))).toBe(number);
        expect(parseEventId(id, eventId(id, number))).toBe(number);
        expect(parseRunId(id, eventId(id, number))).toBeNull();
        expect(parseEventId(id, runId(id, number))).toBeNull();
      }),
    );
  });

  it("parse in no other environment", () => {
    fc.assert(
      fc.property(environment, environment, sequence, (a, b, number) => {
        fc.pre(a !== b);
        expect(parseRunId(a, runId(b, number))).toBeNull();
        expect(parseEventId(a, eventId(b, number))).toBeNull();
      }),
    );
    expect(parseRunId(A, runId(B, 1))).toBeNull();
  });

  it("sort by their numbers", () => {
    fc.assert(
      fc.property(environment, sequence, sequence, (id, a, b) => {
        expect(runId(id, a) < runId(id, b)).toBe(a < b);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["the prefix alone", "run_"],
    ["no number", "run_00000000000001"],
    ["a short number", "run_0000000000000100000010"],
    ["a long number", "run_000000000000010000000010"],
    ["a file ending", "run_00000000000001000000010.json"],
    ["a number that is not safe", "run_00000000000001zzzzzzzzz"],
    ["another character", "run_0000000000000100000001-"],
    ["upper case", "RUN_00000000000001000000010"],
    ["white space before", " run_00000000000001000000010"],
    ["a line end", "run_00000000000001000000010\n"],
  ])("refuse %s", (_, text) => {
    expect(parseRunId(A, text)).toBeNull();
  });

  it("refuse anything that is no environment id", () => {
    expect(() => runId("env_", 1)).toThrow(RangeError);
    expect(() => eventId("org_00000000000001", 1)).toThrow(RangeError);
    expect(parseRunId("env_", "run_000000010")).toBeNull();
    expect(parseEventId("org_00000000000001", "evt_00000000000001000000010")).toBeNull();
  });

  it.each([-1, 1.5, 2 ** 53, Number.NaN])("throw for the number %d", (number) => {
    expect(() => runId(A, number)).toThrow(RangeError);
  });
});
