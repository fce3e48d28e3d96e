// Posts the recorded delivery to the router of this machine, signed like GitHub's.
import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { localSource } from "../starter/local-source.ts";

const { url, secret } = await localSource("github", "a secret for this machine");
const body = await readFile(new URL("payload.json", import.meta.url), "utf8");
const response = await fetch(url, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "X-GitHub-Event": "issues",
    "X-GitHub-Delivery": randomUUID(),
    "X-Hub-Signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  },
  body,
});
console.log(response.status, await response.text());
process.exitCode = response.ok ? 0 : 1;
