/** Interface of what can be asked of the database, the same within a transaction and without one. */
import type { QueryResultRow } from "pg";
import type { Statement } from "./statement.ts";

/** Value of a parameter. A missing one would be NULL in silence, so `undefined` is not among them. */
export type SqlValue = string | number | bigint | boolean | Buffer | Date | null | readonly SqlValue[];

/** Queries, alone or in a transaction. */
export interface Queries {
  /**
   * @throws SRV_DATABASE_UNREACHABLE, SRV_DISK_FULL, SRV_DATABASE_FAILED; the cause is the driver's error, with PostgreSQL's code
   */
  query<Row extends QueryResultRow = QueryResultRow>(
    sql: string | Statement,
    values?: readonly SqlValue[],
  ): Promise<Row[]>;
}

/** Logger that a database needs. */
export interface DatabaseLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface TransactionOptions {
  /** True for work on whole tables, which may take hours: its statements, and their waits for locks, have no limit. */
  readonly isUnlimited?: boolean;
}

/** Queries, and transactions of several. */
export interface Transactions extends Queries {
  /**
   * Runs `work` in a transaction, and again where it lost a race with another one; it must have no effects of its own.
   * Committed when this resolves. Where it rejects with SRV_DATABASE_UNREACHABLE it may be committed or not.
   */
  transaction<T>(work: (queries: Queries) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
