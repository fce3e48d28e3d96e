// The months of history in Postgres: each is a partition of its own below each table of history.
import { firstSequenceAt, sequenceTime } from "../../shared/ids/ids.ts";

export interface Month {
  /** `2026_11`, the end of its tables' names. */
  readonly name: string;
  /** The first number of the month, and the first number of the next month. */
  readonly from: number;
  readonly to: number;
}

/** The UTC month in which a run or an event of this number was made. */
export function monthOf(id: number): Month {
  const time = new Date(sequenceTime(id));
  return month(time.getUTCFullYear(), time.getUTCMonth());
}

/** The month of a table's name, or null if the table is no month. */
export function monthOfTable(table: string): Month | null {
  const [, year, number] = /_(\d{4})_(\d{2})$/.exec(table) ?? [];
  return year === undefined ? null : month(Number(year), Number(number) - 1);
}

function month(year: number, index: number): Month {
  const number = String(index + 1).padStart(2, "0");
  return {
    name: `${year}_${number}`,
    from: firstSequenceAt(Date.UTC(year, index, 1)),
    to: firstSequenceAt(Date.UTC(year, index + 1, 1)),
  };
}
