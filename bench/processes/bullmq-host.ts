// The worker of BullMQ.
import { Worker } from "bullmq";
import { completed, handling, ready } from "./host.ts";

const worker = new Worker<{ n: number }>("bench", async ({ data }) => handling(data.n), {
  connection: { path: process.env.REDIS ?? "", maxRetriesPerRequest: null },
  concurrency: 100,
});
worker.on("completed", ({ data }) => completed(data.n));
worker.on("error", () => {});
await worker.waitUntilReady();
ready();
