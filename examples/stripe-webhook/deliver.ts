// Posts the recorded event to the router of this machine, signed like Stripe's. Each post gets a new event id: with the
// same id, the router would take the second post for a duplicate.
import { createHmac, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { localSource } from "../starter/local-source.ts";

const { url, secret } = await localSource("stripe", "whsec_for_this_machine");
const recorded = JSON.parse(await readFile(new URL("payload.json", import.meta.url), "utf8")) as object;
const body = JSON.stringify({ ...recorded, id: `evt_${randomUUID().replaceAll("-", "")}` });
const time = Math.floor(Date.now() / 1000);
const signature = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex");
const response = await fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json", "Stripe-Signature": `t=${time},v1=${signature}` },
  body,
});
console.log(response.status, await response.text());
process.exitCode = response.ok ? 0 : 1;
