// Objects as JSON text, made of parts that are JSON text already: what hosts and senders sent is put in as it is stored and
// never parsed, for it may be nested too deeply for anything that copies objects.

export type Member = readonly [name: string, json: string | null | undefined];

/** The object of those members that have a value. */
export function object(all: readonly Member[]): string {
  const present = all.filter(([, json]) => json !== null && json !== undefined);
  return `{${present.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

/** The members of a plain object. */
export function members(value: object): Member[] {
  return Object.entries(value).map(([name, part]) => [name, JSON.stringify(part)]);
}
