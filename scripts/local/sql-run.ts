// Runs a request of SQL over HTTP on a connection of the pool. A batch is one transaction: it commits together or rolls
// back together. A connection returns to the pool only outside a transaction, whatever the queries left behind.

import type pg from "pg";
import type { PoolClient, QueryArrayConfig, QueryArrayResult } from "pg";
import type { SqlParam, SqlQuery, SqlRequest } from "./sql-request.ts";
import { jsonValue } from "./sql-values.ts";

/** One query's answer in the form the driver expects (node-postgres's, minus its parsers). */
export interface SqlResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rowAsArray: boolean;
  readonly rows: readonly unknown[];
  readonly fields: readonly SqlField[];
}

export interface SqlField {
  readonly name: string;
  readonly dataTypeID: number;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: "text";
}

/** Returns the results in the order of the queries. Throws the error of the connection or of Postgres. */
export async function runSqlRequest(pool: pg.Pool, request: SqlRequest): Promise<SqlResult[]> {
  const client = await pool.connect();
  try {
    if (request.kind === "batch") await client.query(request.begin);
    const results: SqlResult[] = [];
    for (const query of request.queries) results.push(await runQuery(client, query, request.rawText));
    if (request.kind === "batch") await client.query("COMMIT");
    return results;
  } finally {
    await giveBack(client);
  }
}

/** Ends a transaction left open by a failed batch or by a `BEGIN` of its own. */
async function giveBack(client: PoolClient): Promise<void> {
  try {
    if (client.getTransactionStatus() !== "I") await client.query("ROLLBACK");
    client.release();
  } catch {
    client.release(true);
  }
}

async function runQuery(client: PoolClient, query: SqlQuery, rawText: boolean): Promise<SqlResult> {
  // The extended protocol refuses several statements in one text, as Neon does.
  const config: QueryArrayConfig<SqlParam[]> & { queryMode: "extended" } = {
    text: query.text,
    values: [...query.params],
    rowMode: "array",
    queryMode: "extended",
    types: { getTypeParser: () => (text: string) => text },
  };
  const result: QueryArrayResult<(string | null)[]> = await client.query(config);
  const value = (text: string | null, column: number): unknown =>
    rawText ? text : jsonValue(text, result.fields[column]?.dataTypeID ?? 0);
  return {
    command: result.command ?? "",
    rowCount: result.rowCount,
    rowAsArray: query.arrayMode,
    rows: result.rows.map((row) => {
      const values = row.map(value);
      return query.arrayMode ? values : Object.fromEntries(values.map((each, i) => [result.fields[i]?.name, each]));
    }),
    fields: result.fields.map((field) => ({
      name: field.name,
      dataTypeID: field.dataTypeID,
      tableID: field.tableID,
      columnID: field.columnID,
      dataTypeSize: field.dataTypeSize,
      dataTypeModifier: field.dataTypeModifier,
      format: "text",
    })),
  };
}
