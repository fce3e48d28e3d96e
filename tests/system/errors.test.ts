// Whatever way the user's code fails in the reference client, the run ends as ERROR and says what the client could tell.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Connection, sendForOneRun, startHost, startRouter } from "./support.ts";

const WORKFLOWS = 5;
let development: Connection;

beforeAll(async () => {
  const router = await startRouter();
  await startHost(router, "development", "fails.ts", { workflows: WORKFLOWS });
  development = new Connection(router, "development");
});
afterAll(() => development.close());

async function failedRun(event: string) {
  const id = await sendForOneRun(development, event, { text: "the card was declined" });
  return development.runWith(id, "ERROR");
}

describe("a run whose code", () => {
  it("throws an Error ends with its name, its message, and a stack that leads to the code", async () => {
    const run = await failedRun("throw.error");
    expect(run).toMatchObject({ attempts: 1, error: { name: "OrderError", message: "the card was declined" } });
    expect(run.error?.stackTrace).toContain("OrderError: the card was declined");
    expect(run.error?.stackTrace).toMatch(/at refuseOrder \(.*tests\/reference\/fails\.ts:\d+:\d+\)/);
    expect(run.startedAt).toBeDefined();
    expect(run.finishedAt).toBeDefined();
    expect(run.output).toBeUndefined();
  });

  it("throws an object with name and message ends with these", async () => {
    const run = await failedRun("throw.object");
    expect(run.error).toEqual({ name: "Declined", message: "the card was declined" });
  });

  it("throws a string ends as an unknown error, which is all that the client tells", async () => {
    const run = await failedRun("throw.string");
    expect(run.error).toEqual({ name: "UnknownError", message: "An unknown error occurred" });
  });

  it("throws before it returns a promise ends as an error without a message, which the client sends none of", async () => {
    const run = await failedRun("throw.at-once");
    expect(run.error).toEqual({ name: "Error", message: "no message was sent" });
    expect(run.startedAt).toBeDefined();
  });
});

describe("a run whose event does not fit the workflow's schema", () => {
  it("ends without having been started, and names what does not fit", async () => {
    const run = await failedRun("break.schema");
    expect(run).toMatchObject({ attempts: 0, error: { name: "Event validation error" } });
    expect(run.error?.message).toMatch(/text.*Expected number, received string/is);
    expect(run.startedAt).toBeUndefined();
  });
});

describe("a host whose code has failed", () => {
  it("goes on serving", async () => {
    const again = await failedRun("throw.error");
    expect(again.attempts).toBe(1);
  });
});
