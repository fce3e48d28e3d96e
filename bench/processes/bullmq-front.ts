// The HTTP front of BullMQ.
import { Queue } from "bullmq";
import { serveFront } from "./front.ts";

const queue = new Queue("bench", { connection: { path: process.env.REDIS ?? "" } });
queue.on("error", () => {});
await queue.waitUntilReady();
serveFront(({ n }) => queue.add("event", { n }, { jobId: `bench-${n}` }));
