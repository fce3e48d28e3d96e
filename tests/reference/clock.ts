// Two schedules as the reference client has them: by cron, and at a rate. Each logs what it was given.
import { scheduleEvent, Trigger } from "@trigger.dev/sdk";

for (const [id, on] of [
  ["by-cron", scheduleEvent({ cron: "*/5 * * * *" })],
  ["at-a-rate", scheduleEvent({ rateOf: { minutes: 10 } })],
] as const) {
  new Trigger({
    id,
    name: id,
    on,
    async run(event, ctx) {
      return {
        environment: ctx.environment,
        // They are dates by now: the client has parsed them.
        scheduledTime: event.scheduledTime.toISOString(),
        lastRunAt: event.lastRunAt?.toISOString() ?? null,
        isTest: ctx.isTest,
      };
    },
  }).listen();
}
