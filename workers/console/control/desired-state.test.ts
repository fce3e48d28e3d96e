import { describe, expect, test } from "vitest";
import { type DesiredRow, desiredState } from "./desired-state.ts";

const KEY = { id: "key_1", scopes: [], expiresAt: null };
const SCHEDULE = {
  id: "sch_1",
  name: "n",
  cron: "* * * * *",
  timezone: "UTC",
  event: "e",
  payload: "{}",
  enabled: true,
};

function row(change: Partial<DesiredRow["environment"]> = {}, deletedAt: Date | null = null): DesiredRow {
  return {
    organization: { id: "org_1", slug: "acme", deletedAt },
    environment: {
      id: "env_1",
      organizationId: "org_1",
      slug: "live",
      createdAt: new Date(0),
      archivedAt: null,
      revision: 3,
      pushedRevision: 2,
      receivesWebhooks: true,
      receivesSchedules: false,
      retentionDays: 7,
      historyDays: 90,
      ...change,
    },
    key: KEY,
    schedules: [SCHEDULE],
  };
}

describe("desiredState", () => {
  test("has the keys of every row and the schedules of the first", () => {
    const second = { ...row(), key: { ...KEY, id: "key_2", expiresAt: new Date(5) }, schedules: null };
    expect(desiredState([row(), second])).toEqual({
      kind: "provisioned",
      state: {
        revision: 3,
        organization: { id: "org_1", slug: "acme" },
        environment: { id: "env_1", slug: "live" },
        keys: [KEY, { ...KEY, id: "key_2", expiresAt: 5 }],
        receives: { webhooks: true, schedules: false },
        retention: { days: 7, historyDays: 90 },
        schedules: [SCHEDULE],
      },
    });
  });

  test("has no keys and no schedules for a closed environment, which receives nothing", () => {
    const closed = row({ archivedAt: new Date(1), receivesSchedules: true });
    expect(desiredState([closed])).toMatchObject({
      kind: "provisioned",
      state: { keys: [], receives: { webhooks: false, schedules: false }, schedules: [] },
    });
  });

  test("has no keys for an environment without active keys", () => {
    expect(desiredState([{ ...row(), key: null }])).toMatchObject({ kind: "provisioned", state: { keys: [] } });
  });

  test("deletes the environment of a deleted organization", () => {
    expect(desiredState([row({}, new Date(1))])).toEqual({ kind: "deleted", organizationId: "org_1", revision: 3 });
  });

  test("wants nothing of an environment without rows", () => {
    expect(desiredState([])).toBeNull();
  });
});
