// The schemes in the runtime that they are deployed to, whose headers and cryptography are not Node's. What is refused
// otherwise is tested beside them, in workers/webhook/schemes.
import { describe, expect, it } from "vitest";
import { ENCODE, SENDERS } from "../../workers/webhook/schemes/senders.fixture.ts";
import { verify } from "../../workers/webhook/verify.ts";

const AT = 1_763_800_000;
const BODY = new Uint8Array(new TextEncoder().encode('{"name":"Zoë"}'));

describe.each(SENDERS)("in workerd, $name", (sender) => {
  const judge = async (change: (headers: Headers) => void, secrets = [sender.secret], rawBody = BODY) => {
    const headers = new Headers(await sender.sign(BODY, String(AT), sender.secret));
    change(headers);
    return verify(sender.verification, secrets, { headers, rawBody }, AT * 1000);
  };

  it("accepts what its sender signs", async () => {
    expect(await judge(() => {})).toEqual({ ok: true });
  });

  it("refuses another secret, a changed body, and a proof that is missing, empty or doubled", async () => {
    expect(await judge(() => {}, [sender.otherSecret])).toMatchObject({ ok: false, status: 401 });
    if (sender.signsBody) {
      expect(await judge(() => {}, [sender.secret], BODY.slice(1))).toMatchObject({ ok: false, status: 401 });
    }
    expect(await judge((headers) => headers.delete(sender.proof))).toMatchObject({ ok: false, status: 401 });
    expect(await judge((headers) => headers.set(sender.proof, ""))).toMatchObject({ ok: false, status: 400 });
    const double = (headers: Headers) => headers.append(sender.proof, headers.get(sender.proof) ?? "");
    expect(await judge(double)).toMatchObject({ ok: false });
  });

  if (sender.time !== null && sender.time !== "in the proof") {
    it.each(["１７６３８０００００", "1e9", `+${AT}`])("refuses the time %s", async (time) => {
      const moved = (headers: Headers) => headers.set(sender.time ?? "", time);
      expect(await judge(moved)).toMatchObject({ ok: false, status: 400 });
    });
  }
});

it("in workerd, a public key of Standard Webhooks verifies a signature of the version v1a", async () => {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const exported = new Uint8Array((await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer);
  const content = new Uint8Array([...new TextEncoder().encode(`msg_1.${AT}.`), ...BODY]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, content));
  const headers = new Headers({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(AT),
    "webhook-signature": `v1a,${ENCODE.base64(signature)}`,
  });
  const judge = (rawBody: Uint8Array<ArrayBuffer>) =>
    verify({ scheme: "standard-webhooks" }, [`whpk_${ENCODE.base64(exported)}`], { headers, rawBody }, AT * 1000);
  expect(await judge(BODY)).toEqual({ ok: true });
  expect(await judge(BODY.slice(1))).toMatchObject({ ok: false, status: 401 });
});
