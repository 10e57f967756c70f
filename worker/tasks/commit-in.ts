import { decodeJson, encodeJson } from "../protocol/json/json.ts";
import type { Value } from "../protocol/json/value.ts";

/** An open transaction of Postgres: the client of `pg`, or anything that runs SQL with `$1` in it. */
export interface SqlTransaction {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
}

/** The table that `commitIn` writes to. Create it once, beside your own tables; rows may be deleted once no message can come again. */
export const EFFECTS_TABLE = `create table if not exists longshore_effects (
  key text primary key,
  fence numeric not null,
  result text not null,
  committed_at timestamptz not null default now()
)`;

/** What `commitIn` throws when the effect was committed before: the task ends as the success that it was then. */
export class Committed extends Error {
  override readonly name = "Committed";
  readonly value: Value;
  constructor(value: Value) {
    super("the effect was committed by an earlier attempt");
    this.value = value;
  }
}

/**
 * Ties the effect of one idempotency key to a transaction: whatever else happens in it happens exactly once, for the key is inserted in
 * the same transaction, and a second attempt finds it. An attempt that runs at the same time waits in the database for the first one's
 * end. Never begins, commits or rolls back. Throws `Committed` with the first attempt's value, TypeError for a task without a lease.
 */
export async function commitIn(key: string, fence: string, transaction: SqlTransaction, value: Value): Promise<void> {
  if (key === "") throw new TypeError('commitIn needs a key: this task has mode "none"');
  const mine = await transaction.query(
    "insert into longshore_effects (key, fence, result) values ($1, $2, $3) on conflict (key) do nothing returning key",
    [key, fence, encodeJson(value)],
  );
  if (mine.rows.length > 0) return;
  const first = await transaction.query("select result from longshore_effects where key = $1", [key]);
  const result = first.rows[0]?.["result"];
  throw new Committed(typeof result === "string" ? decodeJson(result) : null);
}
