// The HTTP front of pg-boss.
import { PgBoss } from "pg-boss";
import { serveFront } from "./front.ts";

const boss = new PgBoss({
  connectionString: process.env.BENCH_POSTGRES_URL ?? "",
  schema: process.env.SCHEMA ?? "bench",
  supervise: false,
  schedule: false,
});
await boss.start();
serveFront((event) => boss.send("bench", event));
