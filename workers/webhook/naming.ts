// What a delivery is called: the event's name, and the provider's own id of the delivery. Both from headers or the parsed
// body, after verification.

import type { Naming, Verification } from "../../shared/api/source-settings.ts";
import { NAME_MAX_CHARS } from "../../shared/kernel/limits.ts";
import { deliveryIdPlaces } from "./presets.ts";

/**
 * The event's name; null when the delivery has none, or is not to be named: it then matches every name registered for its
 * service, and the filters decide.
 */
export function nameEvent(naming: Naming, headers: Headers, body: unknown): string | null {
  switch (naming.from) {
    case "header":
      return nameText(headers.get(naming.header));
    case "body":
      for (const path of naming.paths) {
        const name = nameText(valueAt(body, path));
        if (name !== null) return name;
      }
      return null;
    case "fixed":
      return naming.name;
    case "any":
      return null;
  }
}

/**
 * The provider's id of a delivery, the same when it is sent again; null when there is none, or none of the form of an
 * event's id: then every delivery is a new one.
 */
export function deliveryIdOf(
  service: string,
  verification: Verification,
  headers: Headers,
  body: unknown,
): string | null {
  const { headers: names, path } = deliveryIdPlaces(service, verification);
  for (const name of names) {
    const id = idText(headers.get(name));
    if (id !== null) return id;
  }
  return path === null ? null : idText(valueAt(body, path));
}

/** Text that can be a name. A number or a list is none. */
function nameText(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= NAME_MAX_CHARS ? value : null;
}

/** Printable, as an event's id must be. */
function idText(value: unknown): string | null {
  const text = nameText(value);
  return text !== null && /^[^\p{Cc}\p{Cs}]*$/u.test(text) ? text : null;
}

/** Own members only, so that no path leads to what every object or text inherits. */
function valueAt(body: unknown, path: string): unknown {
  let value = body;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}
