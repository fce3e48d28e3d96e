// Two schedules of the reference client: by cron, and at a rate. Each logs its payload.
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
        // The client has parsed these into dates.
        scheduledTime: event.scheduledTime.toISOString(),
        lastRunAt: event.lastRunAt?.toISOString() ?? null,
        isTest: ctx.isTest,
      };
    },
  }).listen();
}
