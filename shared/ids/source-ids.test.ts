import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase62, encodeBase62 } from "./base62.ts";
import { newOrganizationId } from "./ids.ts";
import { parseKeySecrets, verifyApiKey } from "./keys.ts";
import { deliveryId, parseDeliveryId, sourceId, sourceName, verifySourceId } from "./source-ids.ts";

const text = (version: number) => `${version}:${btoa(`the secret of version ${version}, 32 bytes`)}`;
const first = await parseKeySecrets(text(1));
const rotated = await parseKeySecrets(`${text(2)},${text(1)}`);
const second = await parseKeySecrets(text(2));
const ORGANIZATION = newOrganizationId();

describe("the id of a source", () => {
  it("leads to the object of its organization and service, always the same", async () => {
    const id = await sourceId(first, ORGANIZATION, "github");
    expect(id).toMatch(/^src_[0-9A-Za-z]{45}$/);
    expect(await sourceId(first, ORGANIZATION, "github")).toBe(id);
    expect(await verifySourceId(first, id)).toBe(await sourceName(ORGANIZATION, "github"));
  });

  it("differs by organization and by service, and so does the object", async () => {
    const pairs = [
      [ORGANIZATION, "github"],
      [ORGANIZATION, "gitlab"],
      [newOrganizationId(), "github"],
      [`${ORGANIZATION}g`, "ithub"],
    ] as const;
    expect(new Set(await Promise.all(pairs.map(([org, service]) => sourceName(org, service)))).size).toBe(pairs.length);
    expect(new Set(await Promise.all(pairs.map(([org, service]) => sourceId(first, org, service)))).size).toBe(
      pairs.length,
    );
  });

  it("leads to the same object while secrets rotate, and ends with its secret", async () => {
    const before = await sourceId(first, ORGANIZATION, "github");
    const after = await sourceId(rotated, ORGANIZATION, "github");
    const name = await sourceName(ORGANIZATION, "github");
    expect(after).not.toBe(before);
    expect(await verifySourceId(rotated, before)).toBe(name);
    expect(await verifySourceId(rotated, after)).toBe(name);
    expect(await verifySourceId(second, after)).toBe(name);
    expect(await verifySourceId(second, before)).toBeNull();
    expect(await verifySourceId(first, after)).toBeNull();
  });

  it("fails when any bit of it was changed", async () => {
    const body = decodeBase62((await sourceId(rotated, ORGANIZATION, "github")).slice(4), 33) ?? new Uint8Array();
    expect(body).toHaveLength(33);
    for (let bit = 0; bit < 33 * 8; bit++) {
      const changed = body.with(bit >> 3, (body[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      expect(await verifySourceId(rotated, `src_${encodeBase62(changed)}`), `bit ${bit}`).toBeNull();
    }
  });

  it("fails when it was made up", async () => {
    const id = await sourceId(first, ORGANIZATION, "github");
    const made = [
      "",
      "src_",
      id.slice(4),
      `${id}0`,
      id.slice(0, -1),
      ` ${id}`,
      `${id}\n`,
      id.toUpperCase(),
      "x".repeat(1e6),
    ];
    for (const one of [
      ...made,
      await sourceName(ORGANIZATION, "github"),
      `src_${"0".repeat(45)}`,
      `src_${"z".repeat(45)}`,
    ]) {
      expect(await verifySourceId(first, one)).toBeNull();
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 33, maxLength: 33 }), async (bytes) => {
        bytes[0] = 1;
        expect(await verifySourceId(first, `src_${encodeBase62(bytes)}`)).toBeNull();
      }),
    );
  });

  it("opens nothing as an API key", async () => {
    const id = await sourceId(first, ORGANIZATION, "github");
    expect(await verifyApiKey(first, `trigger_live_${id.slice(4)}`)).toBeNull();
  });
});

describe("the id of a delivery", () => {
  it("gives its number in its own source only", async () => {
    const [name, other] = [await sourceName(ORGANIZATION, "github"), await sourceName(ORGANIZATION, "stripe")];
    const id = deliveryId(name, 123_456_789);
    expect(id).toMatch(/^dlv_[0-9A-Za-z]{31}$/);
    expect(parseDeliveryId(name, id)).toBe(123_456_789);
    for (const text of [
      "",
      "dlv_",
      id.slice(0, -1),
      `${id}0`,
      id.toUpperCase(),
      `${id}_1`,
      deliveryId(other, 123_456_789),
    ]) {
      expect([text, parseDeliveryId(name, text)]).toEqual([text, null]);
    }
  });

  it("sorts by number as text", async () => {
    const name = await sourceName(ORGANIZATION, "github");
    expect(deliveryId(name, 9) < deliveryId(name, 10)).toBe(true);
  });
});
