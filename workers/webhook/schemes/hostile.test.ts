// What is refused, for every scheme from one table: nothing but the secret lets a delivery in, whatever is sent instead.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SIGNATURES_MAX } from "../../../shared/kernel/limits.ts";
import { type Verified, verify } from "../verify.ts";
import { judgeTimestamp } from "./scheme.ts";
import { ENCODE, hmac, SENDERS, type Sender } from "./senders.fixture.ts";

const AT = 1_763_800_000;
const BODY = new TextEncoder().encode('{"type":"invoice.paid","data":{"name":"Zoë"}}');
const WRONG = refused(401, { reason: "wrong" });

function refused(status: 400 | 401, refusal: object): Verified {
  return { ok: false, status, refusal } as Verified;
}
const malformed = (header: string) => refused(400, { reason: "malformed", header: header.toLowerCase() });

interface Sent {
  readonly headers?: HeadersInit;
  readonly body?: Uint8Array;
  readonly secrets?: readonly string[];
}

/** Judges a delivery of this sender in which some parts are replaced. */
async function judge(sender: Sender, sent: Sent = {}): Promise<Verified> {
  const headers = new Headers(sent.headers ?? (await sender.sign(BODY, String(AT), sender.secret)));
  const rawBody = new Uint8Array(sent.body ?? BODY);
  const judged = await verify(sender.verification, sent.secrets ?? [sender.secret], { headers, rawBody }, AT * 1000);
  return lowerHeader(judged);
}

/** The same headers with one of them changed. */
async function withHeader(sender: Sender, header: string, change: (value: string) => string): Promise<Headers> {
  const headers = new Headers(await sender.sign(BODY, String(AT), sender.secret));
  headers.set(header, change(headers.get(header) ?? ""));
  return headers;
}

function lowerHeader(judged: Verified): Verified {
  if (judged.ok || !("header" in judged.refusal)) return judged;
  return { ...judged, refusal: { ...judged.refusal, header: judged.refusal.header.toLowerCase() } };
}

describe.each(SENDERS)("$name", (sender) => {
  const headers = [sender.proof, ...sender.others];

  it("accepts what its sender signs, and refuses it without a secret or under another one", async () => {
    expect(await judge(sender)).toEqual({ ok: true });
    expect(await judge(sender, { secrets: [sender.otherSecret, sender.secret] })).toEqual({ ok: true });
    expect(await judge(sender, { secrets: [sender.otherSecret] })).toEqual(WRONG);
    expect(await judge(sender, { secrets: [] })).toEqual(refused(401, { reason: "no secret" }));
  });

  if (sender.signsBody)
    it.each([
      { change: "one bit", body: BODY.with(9, 1 ^ (BODY[9] ?? 0)) },
      { change: "a line end added", body: new Uint8Array([...BODY, 10]) },
      { change: "the last byte left out", body: BODY.slice(0, -1) },
      { change: "a byte order mark added", body: new Uint8Array([0xef, 0xbb, 0xbf, ...BODY]) },
      { change: "the whole left out", body: new Uint8Array() },
    ])("refuses a body that was changed: $change", async ({ body }) => {
      expect(await judge(sender, { body })).toEqual(WRONG);
    });

  it.each(headers)("refuses a delivery without the header %s", async (header) => {
    const rest = new Headers(await sender.sign(BODY, String(AT), sender.secret));
    rest.delete(header);
    expect(await judge(sender, { headers: rest })).toEqual(
      refused(401, { reason: "missing", header: header.toLowerCase() }),
    );
  });

  it.each(headers)("refuses an empty header %s", async (header) => {
    expect(await judge(sender, { headers: await withHeader(sender, header, () => "") })).toEqual(malformed(header));
  });

  // A token may hold a comma and a space, so that there a doubled one is another token.
  it.each(headers)("refuses the header %s sent twice", async (header) => {
    const twice = new Headers(await sender.sign(BODY, String(AT), sender.secret));
    twice.append(header, twice.get(header) ?? "");
    const plainToken = sender.verification.scheme === "gitlab" || sender.verification.scheme === "token";
    expect(await judge(sender, { headers: twice })).toEqual(plainToken ? WRONG : malformed(header));
  });

  if (sender.encoding)
    it("refuses its signature written otherwise", async () => {
      const encoding = sender.encoding ?? "hex";
      const [signed] = Object.entries(await sender.sign(BODY, String(AT), sender.secret)).filter(
        ([name]) => name === sender.proof,
      );
      const [, value = ""] = signed ?? [];
      // The signature is the longest run of its alphabet.
      const signature = value.match(/[A-Za-z0-9+/_-]{20,}={0,2}/)?.[0] ?? "";
      expect(signature).not.toBe("");
      const bytes = bytesOf(signature, encoding);
      const spellings = [
        signature.slice(0, -1),
        signature.slice(0, signature.length / 2),
        `${signature}0`,
        `${signature}00`,
        `${signature.slice(0, 8)} ${signature.slice(8)}`,
        `0x${signature}`,
        `"${signature}"`,
        `${signature.slice(0, -2)}²²`,
        "",
        "null",
        encoding === "hex" ? ENCODE.base64(bytes) : ENCODE.hex(bytes),
      ];
      for (const spelling of spellings) {
        const replaced = await withHeader(sender, sender.proof, () => value.replaceAll(signature, spelling));
        expect(await judge(sender, { headers: replaced }), spelling).toEqual(malformed(sender.proof));
      }
    });

  it("refuses a proof without what stands before it, or with another", async () => {
    const value = new Headers(await sender.sign(BODY, String(AT), sender.secret)).get(sender.proof) ?? "";
    const [before = ""] = /^(sha1=|sha256=|sha512=|v0=|v1,|t=|Bearer |Basic )/.exec(value) ?? [];
    for (const other of ["", "md5=", "sha=", "v2=", "Digest ", `${before}${before}`]) {
      if (other === before) continue;
      const changed = await withHeader(sender, sender.proof, () => other + value.slice(before.length));
      expect(await judge(sender, { headers: changed }), other).toMatchObject({ ok: false });
    }
  });

  if (sender.time)
    it("refuses signed times that are not digits, and those beyond 300 s", async () => {
      const header = sender.time === "in the proof" ? sender.proof : (sender.time ?? "");
      for (const time of [
        "1e9",
        `+${AT}`,
        `-${AT}`,
        `${AT}.0`,
        `${AT} ${AT}`,
        "0x69217ac0",
        "NaN",
        `${AT}²`,
        `${AT}000000`,
      ]) {
        const signed = await sender.sign(BODY, time, sender.secret);
        expect(await judge(sender, { headers: signed }), time).toEqual(malformed(header));
      }
      for (const [skew, expected] of [
        [-299, { ok: true }],
        [299, { ok: true }],
        [-301, refused(401, { reason: "too old" })],
        [301, refused(401, { reason: "too new" })],
        [-AT, refused(401, { reason: "too old" })],
      ] as const) {
        const signed = await sender.sign(BODY, String(AT + skew), sender.secret);
        expect(await judge(sender, { headers: signed }), String(skew)).toEqual(expected);
      }
    });

  if (sender.time !== null && sender.time !== "in the proof")
    it("refuses another time than the signed one", async () => {
      const moved = await withHeader(sender, sender.time ?? "", () => String(AT + 1));
      expect(await judge(sender, { headers: moved })).toEqual(WRONG);
    });

  it("accepts nothing that was made up", async () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme-ascii", maxLength: 100 }),
      fc
        .uint8Array({ minLength: 20, maxLength: 64 })
        .map((bytes) => (sender.encoding ? ENCODE[sender.encoding](bytes) : ENCODE.hex(bytes))),
    );
    const real = new Headers(await sender.sign(BODY, String(AT), sender.secret)).get(sender.proof) ?? "";
    await fc.assert(
      fc.asyncProperty(text, fc.nat(real.length), async (made, cut) => {
        for (const value of [made, real.slice(0, cut) + made, made + real.slice(cut)]) {
          const changed = await withHeader(sender, sender.proof, () => value);
          // Padding and the case of letters and schemes are no part of what is proved; all else is.
          if (sameProof(changed.get(sender.proof) ?? "", real)) continue;
          expect(await judge(sender, { headers: changed }), value).toMatchObject({ ok: false });
        }
      }),
      { numRuns: 60 },
    );
  });
});

const standard = SENDERS.filter(({ verification }) => verification.scheme === "standard-webhooks");

describe("several signatures", () => {
  const stripe = SENDERS.find(({ name }) => name === "stripe") as Sender;
  const zeros = { hex: "0".repeat(64), base64: `${"A".repeat(43)}=` };

  it("are all tried, up to the limit", async () => {
    const others = (count: number) => Array.from({ length: count }, () => `v1=${zeros.hex}`).join(",");
    const at = (count: number) =>
      withHeader(stripe, "stripe-signature", (value) => value.replace("v1=", `${others(count)},v1=`));
    expect(await judge(stripe, { headers: await at(SIGNATURES_MAX - 1) })).toEqual({ ok: true });
    expect(await judge(stripe, { headers: await at(SIGNATURES_MAX) })).toEqual(malformed("stripe-signature"));
    expect(await judge(stripe, { headers: await at(10_000) })).toEqual(malformed("stripe-signature"));
  });

  it.each(standard)("are all tried, up to the limit: $name", async (sender) => {
    const others = (count: number) => Array.from({ length: count }, () => `v1,${zeros.base64}`).join(" ");
    const at = (count: number) => withHeader(sender, sender.proof, (value) => `${others(count)} ${value}`);
    expect(await judge(sender, { headers: await at(SIGNATURES_MAX - 1) })).toEqual({ ok: true });
    expect(await judge(sender, { headers: await at(SIGNATURES_MAX) })).toEqual(malformed(sender.proof));
    expect(await judge(sender, { headers: await at(10_000) })).toEqual(malformed(sender.proof));
  });

  it("of Stripe need exactly one time", async () => {
    for (const change of [
      (value: string) => value.replace(/^t=\d+,/, ""),
      (value: string) => `${value},t=${AT}`,
      (value: string) => `t=${AT - 1000},${value}`,
      (value: string) => value.replace("v1=", "v2="),
      (value: string) => `${value},`,
      (value: string) => value.replace("t=", "t= "),
    ]) {
      const headers = await withHeader(stripe, "stripe-signature", change);
      expect(await judge(stripe, { headers }), headers.get("stripe-signature") ?? "").toEqual(
        malformed("stripe-signature"),
      );
    }
  });

  it("of test mode prove nothing to Stripe's scheme", async () => {
    const headers = await withHeader(
      stripe,
      "stripe-signature",
      (value) => `${value.replace("v1=", "v0=")},v1=${zeros.hex}`,
    );
    expect(await judge(stripe, { headers })).toEqual(WRONG);
  });
});

describe.each(standard)("$name", (sender) => {
  const family = sender.proof.replace("-signature", "");

  it("leaves out signatures of other versions, and needs one of its own", async () => {
    const beside = await withHeader(sender, sender.proof, (value) => `v9,AAAA ${value}`);
    expect(await judge(sender, { headers: beside })).toEqual({ ok: true });
    const alone = await withHeader(sender, sender.proof, (value) => value.replace("v1,", "v2,"));
    expect(await judge(sender, { headers: alone })).toEqual(WRONG);
  });

  it.each(["msg.1", "msg 1", "msg,1", "msg_1, msg_1", "é"])("refuses the id %s", async (id) => {
    expect(await judge(sender, { headers: await withHeader(sender, `${family}-id`, () => id) })).toEqual(
      malformed(`${family}-id`),
    );
  });

  it("refuses another id than the signed one", async () => {
    const headers = await withHeader(sender, `${family}-id`, () => "msg_2");
    expect(await judge(sender, { headers })).toEqual(WRONG);
  });

  it("does not take an id or a time of the other family", async () => {
    const other = family === "svix" ? "webhook" : "svix";
    for (const part of ["id", "timestamp"]) {
      const headers = await withHeader(sender, sender.proof, (value) => value);
      headers.set(`${other}-${part}`, headers.get(`${family}-${part}`) ?? "");
      headers.delete(`${family}-${part}`);
      expect(await judge(sender, { headers })).toEqual(
        refused(401, { reason: "missing", header: `${family}-${part}` }),
      );
    }
  });

  it("does not take a secret that is no base64", async () => {
    expect(await judge(sender, { secrets: ["whsec_?", "whsec_", "whpk_", "whpk_AAAA"] })).toEqual(WRONG);
  });
});

describe("a public key of Standard Webhooks", () => {
  it("verifies a signature of the version v1a, and nothing else", async () => {
    const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
    const exported = (await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer;
    const secret = `whpk_${ENCODE.base64(new Uint8Array(exported))}`;
    const content = new Uint8Array([...new TextEncoder().encode(`msg_1.${AT}.`), ...BODY]);
    const signature = ENCODE.base64(new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, content)));
    const sent = (proof: string) => ({
      "webhook-id": "msg_1",
      "webhook-timestamp": String(AT),
      "webhook-signature": proof,
    });
    const [sender] = standard as [Sender];

    expect(await judge(sender, { secrets: [secret], headers: sent(`v1a,${signature}`) })).toEqual({ ok: true });
    expect(await judge(sender, { secrets: [secret], headers: sent(`v1a,${signature}`), body: BODY.slice(1) })).toEqual(
      WRONG,
    );
    // A public key is known to all: it must never be taken for a shared one.
    const shared = await hmac("sha256", new Uint8Array(exported), content);
    expect(await judge(sender, { secrets: [secret], headers: sent(`v1,${ENCODE.base64(shared)}`) })).toEqual(WRONG);
  });
});

describe("a delivery of Linear", () => {
  const linear = SENDERS.find(({ name }) => name === "linear") as Sender;
  const sent = async (webhookTimestamp: unknown) => {
    const body = new TextEncoder().encode(JSON.stringify({ webhookTimestamp }));
    return judge(linear, { body, headers: await linear.sign(body, "", linear.secret) });
  };

  it("is refused when the time in its body is beyond 300 s", async () => {
    expect(await sent(AT * 1000 - 299_000)).toEqual({ ok: true });
    expect(await sent(AT * 1000 + 299_000)).toEqual({ ok: true });
    expect(await sent(AT * 1000 - 301_000)).toEqual(refused(401, { reason: "too old" }));
    expect(await sent(AT * 1000 + 301_000)).toEqual(refused(401, { reason: "too new" }));
  });
});

describe("a source whose scheme is none", () => {
  it("accepts what anyone sends, with or without secrets", async () => {
    for (const secrets of [[], ["a secret"]]) {
      const request = { headers: new Headers(), rawBody: new Uint8Array(BODY) };
      expect(await verify({ scheme: "none" }, secrets, request, 0)).toEqual({ ok: true });
    }
  });
});

it.each(["", " 5", "5 ", "５", "٥", "०", "1_000", "1,000", "1e3", "0x5", "Infinity", "9".repeat(13)])(
  "the time %j is refused, also where a runtime lets it through as a header",
  (text) => {
    expect(judgeTimestamp(text, "a", 5000)).toEqual({ reason: "malformed", header: "a" });
  },
);

function bytesOf(signature: string, encoding: "hex" | "base64" | "base64url"): Uint8Array {
  if (encoding === "hex") return Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return Uint8Array.from(atob(signature.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

function sameProof(a: string, b: string): boolean {
  const plain = (text: string) => text.trim().replace(/=+$/, "");
  return plain(a) === plain(b) || plain(a).toLowerCase() === plain(b).toLowerCase();
}
