/**
 * Helpers for SQL statements of the host: numbered parameters of a statement built from parts, and lists of digests as a table.
 */
import type { SqlValue } from "@openledger/foundation/database/queries";

/** Parameters of a statement that is put together from parts. */
export class SqlValues {
  readonly values: SqlValue[] = [];

  /** Adds a value. @returns its parameter, as `$1` */
  readonly bind = (value: SqlValue): string => `$${this.values.push(value)}`;
}

/** SQL of a table `(place, digest)` of the digests in a parameter, 32 bytes each. */
export const digestsSql = (parameter: string) =>
  `(select place, substring(${parameter}::bytea from 32 * place + 1 for 32) as digest
      from generate_series(0, octet_length(${parameter}::bytea) / 32 - 1) as place)`;

/** A view on bytes as what the driver stores whole. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Text that a column takes: a NUL is refused by PostgreSQL. */
export const storable = (text: string): string => text.replaceAll("\0", " ");
