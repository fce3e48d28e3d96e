// The endpoint, used by the real driver and drizzle, in front of the embedded Postgres, and in front of a real one too
// if TEST_DATABASE_URL names it.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NeonDbError, neon, neonConfig } from "@neondatabase/serverless";
import { sql as raw } from "drizzle-orm";
import { bigint, customType, jsonb, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import journal from "../../migrations/meta/_journal.json" with { type: "json" };
import { createDatabase } from "../../shared/db/client.ts";
import { throwawayDatabase } from "../../tests/throwaway-database.ts";
import { applyMigrations } from "./migrate.ts";
import { connectPostgres, type LocalPostgres, startPostgres } from "./postgres.ts";
import { type SqlEndpoint, startSqlOverHttp } from "./sql-over-http.ts";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const things = pgTable("things", {
  id: text("id").primaryKey(),
  big: bigint("big", { mode: "bigint" }),
  json: jsonb("json").$type<{ a: (number | null)[] }>(),
  at: timestamp("at", { withTimezone: true }),
  bytes: bytea("bytes"),
  texts: text("texts").array(),
});
const CREATE = raw`create table things (id text primary key, big bigint, json jsonb, at timestamptz, bytes bytea, texts text[])`;

const realUrl = process.env.TEST_DATABASE_URL;

async function embedded(): Promise<LocalPostgres> {
  const directory = await mkdtemp(join(tmpdir(), "switchyard-test-"));
  const postgres = await startPostgres(join(directory, "postgres"));
  return {
    pool: postgres.pool,
    async close() {
      await postgres.close();
      await rm(directory, { recursive: true });
    },
  };
}

describe.each([
  { name: "the embedded Postgres", start: embedded },
  ...(realUrl === undefined ? [] : [{ name: "a real Postgres", start: () => throwawayDatabase(realUrl) }]),
])("the endpoint before $name", ({ start }) => {
  // The host keeps the two runs apart: the driver finds its endpoint by the host.
  const url = `postgresql://switchyard:secret@${randomUUID()}/postgres`;
  let postgres: LocalPostgres;
  let endpoint: SqlEndpoint;
  const connect = () => createDatabase({ url, endpoint: endpoint.url });

  beforeAll(async () => {
    postgres = await start();
    endpoint = await startSqlOverHttp({ pool: postgres.pool, connectionString: url });
    await connect().execute(CREATE);
  }, 60_000);
  afterAll(async () => {
    await endpoint?.close();
    await postgres?.close();
  }, 60_000);

  test("returns every type as it went in", async () => {
    const db = connect();
    const row = {
      id: "types",
      big: 9_007_199_254_740_993n,
      json: { a: [1, null] },
      at: new Date("2026-02-28T23:59:59.123Z"),
      bytes: new Uint8Array([0, 1, 254, 255]),
      texts: ["a", 'b "c" \\', "{d,e}", ""],
    };
    await db.insert(things).values(row);
    const [read] = await db.select().from(things).where(raw`id = 'types'`);
    expect({ ...read, bytes: Uint8Array.from(read?.bytes ?? []) }).toEqual(row);
  });

  test("returns null of every type as null", async () => {
    const db = connect();
    await db.insert(things).values({ id: "nulls" });
    const read = await db.select().from(things).where(raw`id = 'nulls'`);
    expect(read).toEqual([{ id: "nulls", big: null, json: null, at: null, bytes: null, texts: null }]);
  });

  test("returns a value of several megabytes whole", async () => {
    const [row] = await neon(url)`select ${"é".repeat(3_000_000)}::text as long`;
    expect(row?.long.length).toBe(3_000_000);
  });

  test("gives rows, counts and fields to the driver's plain interface", async () => {
    const sql = neon(url, { fullResults: true });
    const result = await sql`select 1 as one, 'two' as two, true as yes, null as nothing, array[1,2] as list`;
    expect(result.rows).toEqual([{ one: 1, two: "two", yes: true, nothing: null, list: [1, 2] }]);
    expect(result).toMatchObject({ command: "SELECT", rowCount: 1 });
    expect(result.fields.map((field) => field.name)).toEqual(["one", "two", "yes", "nothing", "list"]);
    const inserted = await sql`insert into things (id) values ('count-1'), ('count-2')`;
    expect(inserted).toMatchObject({ command: "INSERT", rowCount: 2, rows: [] });
  });

  test("commits a batch together", async () => {
    const db = connect();
    const [, rows] = await db.batch([
      db.insert(things).values({ id: "batch-1" }),
      db.insert(things).values({ id: "batch-2" }).returning({ id: things.id }),
    ]);
    expect(rows).toEqual([{ id: "batch-2" }]);
    expect(await db.$count(things, raw`id like 'batch-%'`)).toBe(2);
  });

  test("rolls a batch back together, and the connection is usable after it", async () => {
    const db = connect();
    const failing = db.batch([
      db.insert(things).values({ id: "rolled-back" }),
      db.insert(things).values({ id: "rolled-back" }),
    ]);
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    expect(await db.$count(things, raw`id = 'rolled-back'`)).toBe(0);
  });

  test("runs a batch as one transaction of the requested kind", async () => {
    const sql = neon(url);
    const [level, readOnly, deferrable] = await sql.transaction(
      [sql`show transaction_isolation`, sql`show transaction_read_only`, sql`show transaction_deferrable`],
      { isolationLevel: "Serializable", readOnly: true, deferrable: true },
    );
    expect([level, readOnly, deferrable]).toEqual([
      [{ transaction_isolation: "serializable" }],
      [{ transaction_read_only: "on" }],
      [{ transaction_deferrable: "on" }],
    ]);
    const writing = sql.transaction([sql`insert into things (id) values ('read-only')`], { readOnly: true });
    await expect(writing).rejects.toMatchObject({ code: "25006" });
  });

  test("gives an error Postgres's code and the names in it", async () => {
    const db = connect();
    await db.insert(things).values({ id: "unique" });
    const error = await db
      .insert(things)
      .values({ id: "unique" })
      .then(null, (reason) => reason.cause ?? reason);
    expect(error).toBeInstanceOf(NeonDbError);
    expect(error).toMatchObject({ code: "23505", severity: "ERROR", table: "things", constraint: "things_pkey" });
    expect(error.detail).toContain("(id)=(unique) already exists");
  });

  test("gives an error of the SQL its position", async () => {
    await expect(neon(url).query("select 1 frm x")).rejects.toMatchObject({ code: "42601", position: "14" });
  });

  test("refuses several statements in one query, like the deployed database", async () => {
    await expect(neon(url).query("select 1; select 2")).rejects.toMatchObject({ code: "42601" });
  });

  test("ends with its query a transaction that a single query opens", async () => {
    const sql = neon(url);
    await sql`begin`;
    await sql`insert into things (id) values ('after-begin')`;
    await sql`rollback`;
    expect(await sql`select id from things where id = 'after-begin'`).toEqual([{ id: "after-begin" }]);
  });

  test("answers many queries at once, each with its own result", async () => {
    const sql = neon(url);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        n % 10 === 9
          ? sql`select 1 / (${n}::int - ${n}::int) as n`.catch((error) => [{ n: error.code }])
          : sql`select ${n}::int as n`,
      ),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 100 }, (_, n) => (n % 10 === 9 ? "22012" : n)));
  });

  test("creates the tables by the migrations, and changes nothing when they run again", async () => {
    await applyMigrations(postgres.pool);
    await applyMigrations(postgres.pool);
    const rows = await neon(url)`select count(*)::int as n from drizzle.__drizzle_migrations`;
    expect(rows).toEqual([{ n: journal.entries.length }]);
  });

  describe("the endpoint without the driver", () => {
    const post = (body: unknown, headers: Record<string, string> = {}, path = "", method = "POST") =>
      fetch(endpoint.url + path, {
        method,
        headers: { "Neon-Connection-String": url, ...headers },
        ...(method === "GET" ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });

    test("returns values and rows as JSON unless raw text and arrays are asked for", async () => {
      const query = {
        query: "select $1::int as n, $2::jsonb as j, $3::text[] as t",
        params: [1, { a: 2 }, ["b", null]],
      };
      const plain = await (await post(query)).json();
      expect(plain).toMatchObject({ rowAsArray: false, rows: [{ n: 1, j: { a: 2 }, t: ["b", null] }] });
      const headers = { "Neon-Raw-Text-Output": "true", "Neon-Array-Mode": "true" };
      const asText = await (await post(query, headers)).json();
      expect(asText).toMatchObject({ rowAsArray: true, rows: [["1", '{"a": 2}', "{b,NULL}"]] });
    });

    test.each([
      ["a body that is not JSON", "{", {}, 400, "the body is not JSON"],
      ["a body of another form", { sql: "select 1" }, {}, 400, "neither"],
      ["a batch with a query of another form", { queries: [{ query: 1 }] }, {}, 400, "neither"],
      ["parameters that are no list", { query: "select 1", params: "x" }, {}, 400, "neither"],
      ["an unknown isolation level", { queries: [] }, { "Neon-Batch-Isolation-Level": "x" }, 400, "isolation level"],
      ["a body past the limit", " ".repeat(10 * 1024 * 1024 + 1), {}, 413, "too large"],
    ])("refuses %s", async (_name, body, headers, status, message) => {
      const response = await post(body, headers);
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ message: expect.stringContaining(message) });
    });

    test("refuses another path, another method, and a wrong password", async () => {
      const query = { query: "select 1" };
      expect((await post(query, {}, "/more")).status).toBe(404);
      const got = await post(query, {}, "", "GET");
      expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
      const wrong = await post(query, { "Neon-Connection-String": url.replace("secret", "guess") });
      expect([wrong.status, await wrong.json()]).toEqual([400, expect.objectContaining({ code: "28P01" })]);
      const none = await fetch(endpoint.url, { method: "POST", body: JSON.stringify(query) });
      expect([none.status, await none.json()]).toEqual([400, expect.objectContaining({ code: "28P01" })]);
    });
  });
});

test("gives an error without a code when Postgres is unreachable", async () => {
  const url = `postgresql://switchyard:secret@${randomUUID()}/postgres`;
  const gone = connectPostgres("postgresql://127.0.0.1:1/none");
  const endpoint = await startSqlOverHttp({ pool: gone.pool, connectionString: url });
  const error = await createDatabase({ url, endpoint: endpoint.url })
    .execute(raw`select 1`)
    .then(null, (e) => e.cause);
  expect(error).toBeInstanceOf(NeonDbError);
  expect(error.message).toContain("HTTP status 503");
  expect(error.code).toBeUndefined();
  await endpoint.close();
  await gone.close();
});

test("sends a client without an endpoint of its own to the driver's default", () => {
  const { fetchEndpoint } = neonConfig;
  expect(typeof fetchEndpoint === "function" && fetchEndpoint("ep-x.neon.tech", "")).toBe("https://api.neon.tech/sql");
});
