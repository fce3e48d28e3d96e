import { describe, expect, it } from "vitest";
import { type Page, throughHistory } from "./through-history.ts";

interface World {
  /** Numbers that the object has, and that Postgres has. */
  readonly object: readonly number[];
  readonly postgres: readonly number[];
  readonly forgottenBelow: number;
  /** Rows that each looks at for one page, by a filter that only even numbers pass; none for no filter. */
  readonly scan?: number;
}

function read(world: World, cursor: string | null, limit: number, asked: number[] = []): Promise<Page<string>> {
  const take = (numbers: readonly number[], before: number, most: number) => {
    const below = [...numbers].filter((n) => n < before).sort((a, b) => b - a);
    const looked = below.slice(0, world.scan ?? below.length);
    const found = looked.filter((n) => world.scan === undefined || n % 2 === 0);
    if (found.length > most) return { rows: found.slice(0, most), reached: found[most - 1] ?? 0 };
    return { rows: found, reached: looked.length < below.length ? (looked.at(-1) ?? 0) : 0 };
  };
  const here = take(world.object, cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor), limit);
  return throughHistory({
    slice: {
      data: here.rows.map((n) => `object ${n}`),
      numbers: here.rows,
      next: here.reached === 0 ? null : String(here.reached),
      forgottenBelow: world.forgottenBelow,
    },
    limit,
    cursor,
    numberOf: Number,
    cursorOf: String,
    parse: (json) => json,
    history: async (before, most) => {
      asked.push(before);
      const there = take(world.postgres, before, most);
      return { rows: there.rows.map((id) => ({ id, json: `postgres ${id}` })), reached: there.reached };
    },
  });
}

async function readAll(world: World, limit: number): Promise<string[]> {
  const all: string[] = [];
  for (let cursor: string | null = null, pages = 0; pages < 1_000; pages++) {
    const page: Page<string> = await read(world, cursor, limit);
    all.push(...page.data);
    if (page.next === null) return all;
    cursor = page.next;
  }
  throw new Error("the pages do not end");
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

describe("a list over the object and Postgres", () => {
  it.each([
    ["nothing is forgotten", { object: range(1, 30), postgres: range(1, 12), forgottenBelow: 0 }],
    ["the object has the newer half", { object: range(16, 30), postgres: range(1, 20), forgottenBelow: 16 }],
    ["the object has nothing any more", { object: [], postgres: range(1, 30), forgottenBelow: 31 }],
    [
      "old runs still wait",
      {
        object: [3, 9, 10, ...range(16, 30)],
        postgres: range(1, 15).filter((n) => ![3, 9, 10].includes(n)),
        forgottenBelow: 16,
      },
    ],
    [
      "only old runs wait",
      { object: [3, 9], postgres: range(1, 30).filter((n) => ![3, 9].includes(n)), forgottenBelow: 31 },
    ],
    ["what waited is in both", { object: [9, ...range(16, 30)], postgres: range(1, 15), forgottenBelow: 16 }],
  ] satisfies [string, World][])("has each once, the newest first, for pages of every size: %s", async (_, world) => {
    const numbers = [...new Set([...world.object, ...world.postgres])].sort((a, b) => b - a);
    for (const limit of [1, 2, 3, 7, 14, 15, 16, 30, 100]) {
      const all = await readAll(world, limit);
      expect(all.map((row) => Number(row.split(" ")[1]))).toEqual(numbers);
      for (const n of world.object) expect(all).toContain(`object ${n}`);
    }
  });

  it("has each once when both stop looking after a while", async () => {
    const world = {
      object: [4, 8, ...range(41, 80)],
      postgres: range(1, 40).filter((n) => n !== 4 && n !== 8),
      forgottenBelow: 41,
    };
    for (const scan of [1, 2, 3, 5, 50]) {
      for (const limit of [1, 2, 5, 50]) {
        const all = await readAll({ ...world, scan }, limit);
        expect(all.map((row) => Number(row.split(" ")[1]))).toEqual(
          range(1, 80)
            .filter((n) => n % 2 === 0)
            .reverse(),
        );
      }
    }
  });

  it("does not ask Postgres for what the object has", async () => {
    const world = { object: range(16, 30), postgres: range(1, 20), forgottenBelow: 16 };
    const asked: number[] = [];
    const first = await read(world, null, 10, asked);
    const second = await read(world, first.next, 10, asked);
    expect([first.data.length, second.data.length, asked]).toEqual([10, 5, []]);
    await read(world, second.next, 10, asked);
    expect(asked).toEqual([16]);
  });
});
