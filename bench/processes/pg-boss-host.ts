// The worker of pg-boss.
import { PgBoss } from "pg-boss";
import { completed, handling, ready } from "./host.ts";

const boss = new PgBoss({
  connectionString: process.env.BENCH_POSTGRES_URL ?? "",
  schema: process.env.SCHEMA ?? "bench",
});
boss.on("error", (error) => console.error(error.message));
await boss.start();
await boss.createQueue("bench");
// `work` does not tell when a job's completion is recorded, so this calls its two steps one after the other.
void (async () => {
  for (;;) {
    const jobs = await boss.fetch<{ n: number }>("bench", { batchSize: 100 });
    for (const { data } of jobs) handling(data.n);
    if (jobs.length > 0)
      await boss.complete(
        "bench",
        jobs.map(({ id }) => id),
      );
    for (const { data } of jobs) completed(data.n);
    if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 500));
  }
})();
ready();
