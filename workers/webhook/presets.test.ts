import { describe, expect, it } from "vitest";
import { Handshake, Naming, ServiceSlug, Verification } from "../../shared/api/source-settings.ts";
import { handshakeFor, PRESETS, type Preset, presetOf, verificationAskedFor } from "./presets.ts";

const ALL = Object.entries<Preset>(PRESETS);

describe("the presets", () => {
  it.each(ALL)("of %s could be given by the management API as they are", (service, preset) => {
    for (const name of [service, ...preset.aliases]) expect(ServiceSlug.parse(name)).toBe(name);
    expect(Verification.parse(preset.verification)).toEqual(preset.verification);
    expect(Naming.parse(preset.naming)).toEqual(preset.naming);
    expect(Handshake.parse(preset.handshake)).toBe(preset.handshake);
    for (const header of preset.deliveryId.headers) expect(header).toBe(header.toLowerCase());
  });

  it("have no service twice", () => {
    const names = ALL.flatMap(([service, { aliases }]) => [service, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(["", "unknown", "__proto__", "constructor", "toString", "GitHub"])("have none for %j", (service) => {
    expect(presetOf(service)).toBeNull();
    expect(handshakeFor(service)).toBe("none");
  });
});

describe("the verification that a registration asks for", () => {
  const manual = (service: string, verifyPayload?: unknown) => ({
    service,
    source: { verifyPayload, event: "a" },
    manualRegistration: true,
  });

  it.each<{ what: string; registration: Parameters<typeof verificationAskedFor>[0]; asked: Verification }>([
    {
      what: "a trigger of @trigger.dev/github",
      registration: { service: "github", source: { repo: "a/b", events: ["issues"] }, manualRegistration: false },
      asked: { scheme: "github" },
    },
    {
      what: "webhookEvent of a known service",
      registration: manual("stripe", { enabled: true, header: "X-A" }),
      asked: { scheme: "stripe" },
    },
    {
      what: "webhookEvent of an unknown service",
      registration: manual("acme", { enabled: true, header: "X-Acme-Signature" }),
      asked: { scheme: "trigger", header: "X-Acme-Signature" },
    },
    {
      what: "webhookEvent that names no header",
      registration: manual("acme", { enabled: true }),
      asked: { scheme: "trigger", header: "X-Signature" },
    },
    {
      what: "webhookEvent with a header that is none",
      registration: manual("acme", { enabled: true, header: "not a header" }),
      asked: { scheme: "trigger", header: "X-Signature" },
    },
    {
      what: "webhookEvent that asks for none",
      registration: manual("stripe", { enabled: false }),
      asked: { scheme: "none" },
    },
    { what: "webhookEvent that says nothing", registration: manual("acme"), asked: { scheme: "none" } },
    {
      what: "enabled with another value",
      registration: manual("acme", { enabled: "true" }),
      asked: { scheme: "none" },
    },
    {
      what: "a registration without a source",
      registration: { service: "acme", manualRegistration: true },
      asked: { scheme: "none" },
    },
  ])("is $asked.scheme for $what", ({ registration, asked }) => {
    expect(verificationAskedFor(registration)).toEqual(asked);
    expect(Verification.parse(asked)).toEqual(asked);
  });
});
