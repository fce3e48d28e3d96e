import { expect, it } from "vitest";
import type { RunStatus } from "../../../shared/api/runs.ts";
import { runStatus, type StatusFacts } from "./run-status.ts";

const EXPIRES_AT = 1_000;
const NEW: StatusFacts = { ended: null, attempts: 0, running: false, hostConnected: false, expiresAt: EXPIRES_AT };

it.each<[string, Partial<StatusFacts>, number, RunStatus]>([
  ["shows a new run as PENDING", {}, 0, "PENDING"],
  ["keeps it PENDING until just before its time to live ends", {}, EXPIRES_AT - 1, "PENDING"],
  ["times it out when its time to live ends", {}, EXPIRES_AT, "TIMED_OUT"],
  ["keeps it PENDING beyond that while a host is connected", { hostConnected: true }, EXPIRES_AT * 2, "PENDING"],
  ["shows a started run as RUNNING", { running: true, hostConnected: true }, 0, "RUNNING"],
  ["shows a later attempt as RUNNING", { running: true, attempts: 3, hostConnected: true }, 0, "RUNNING"],
  ["shows a lost attempt as DISCONNECTED", { attempts: 1 }, 0, "DISCONNECTED"],
  ["shows it so also while a host is connected", { attempts: 1, hostConnected: true }, 0, "DISCONNECTED"],
  ["times out no run that has started once", { attempts: 1 }, EXPIRES_AT * 2, "DISCONNECTED"],
  ["runs on beyond the time to live", { running: true }, EXPIRES_AT * 2, "RUNNING"],
  ...(["SUCCESS", "ERROR", "TIMED_OUT", "CANCELED"] as const).map(
    (ended): [string, Partial<StatusFacts>, number, RunStatus] => [
      `keeps the end ${ended} whatever else is known`,
      { ended, running: true, attempts: 2, hostConnected: true },
      EXPIRES_AT * 2,
      ended,
    ],
  ),
])("%s", (_name, facts, now, expected) => {
  expect(runStatus({ ...NEW, ...facts }, now)).toBe(expected);
});
