// Allowed targets of calls on a user's behalf. A deployed router refuses private, loopback and link-local targets: by
// name, and by every spelling of an address, which the URL parser has normalized.

/** Names that never mean a public host. */
const LOCAL_NAMES = /(^|\.)(localhost|local|localdomain|internal|intranet|home\.arpa|lan)$/;

/** IPv4 blocks that are not public, as [first address, prefix length]. Source: IANA's special-purpose registry. */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** The reason why this URL may not be called, or null if it may. */
export function refusedTarget(url: URL, privateAllowed: boolean): string | null {
  if (url.protocol !== "http:" && url.protocol !== "https:") return "only http and https URLs can be fetched";
  if (privateAllowed) return null;
  const host = url.hostname.replace(/\.$/, "").toLowerCase();
  const reason = "private, loopback and link-local addresses cannot be fetched";
  if (host.startsWith("[")) return isPublicV6(host.slice(1, -1)) ? null : reason;
  const v4 = parseV4(host);
  if (v4 !== null) return isPublicV4(v4) ? null : reason;
  // A name without a dot belongs to a local network.
  return LOCAL_NAMES.test(host) || !host.includes(".") ? reason : null;
}

function parseV4(host: string): number | null {
  const parts = host.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.reduce((address, part) => address * 256 + Number(part), 0);
}

function isPublicV4(address: number): boolean {
  return !PRIVATE_V4.some(([first, length]) => {
    const size = 2 ** (32 - length);
    return Math.floor(address / size) === Math.floor((parseV4(first) ?? 0) / size);
  });
}

/** Only global unicast (2000::/3) is public, less the ranges in it that carry or hide an IPv4 address or lead nowhere. */
function isPublicV6(text: string): boolean {
  const groups = expandV6(text);
  if (groups === null) return false;
  const [a = 0, b = 0] = groups;
  if (a < 0x2000 || a > 0x3fff) return false;
  const documentation = (a === 0x2001 && b === 0x0db8) || (a === 0x3fff && b < 0x1000);
  const protocols = a === 0x2001 && b < 0x0200; // Teredo, ORCHID, benchmarking
  const sixToFour = a === 0x2002;
  return !documentation && !protocols && !sixToFour;
}

/** The eight groups of an address as the URL parser writes it: hexadecimal, at most one `::`. */
function expandV6(text: string): number[] | null {
  const [head = "", tail] = text.split("::");
  const read = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [read(head), read(tail ?? "")];
  const missing = 8 - before.length - after.length;
  const groups = tail === undefined ? before : [...before, ...Array<number>(Math.max(0, missing)).fill(0), ...after];
  return groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff) ? groups : null;
}
