/**
 * Stores the large inputs of a queue's jobs (job-queue.ts; such as a proof's inputs) in PostgreSQL: compressed, in pieces,
 * under the SHA-256 of what they are unpacked, which is checked when they are read.
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Queries } from "./queries.ts";

/** Inputs are deleted with their job, or after this time. */
const LIFE = "interval '7 days'";
/** Maximum bytes of a job's inputs, unpacked. A batch of 256 operations has about 10 MB. */
const MAX_INPUT_BYTES = 512 * 1024 * 1024;
/** PostgreSQL hands bytes out as text, of which a string of JavaScript holds 256 MB. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** Inputs as the queue takes them. */
export interface PackedInputs {
  /** SHA-256 of the inputs, in hexadecimal. */
  readonly hash: string;
  readonly packed: Buffer;
}

export const hashOf = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");

export const packInputs = async (inputs: string): Promise<PackedInputs> => ({
  hash: hashOf(inputs),
  packed: await promisify(gzip)(inputs, { level: 1 }),
});

/** Stores inputs, or extends the life of those already there. Call it in a transaction. */
export async function putInputs(queries: Queries, { hash, packed }: PackedInputs): Promise<void> {
  const extended = await queries.query(
    `update inputs set expires_at = now() + ${LIFE} where hash = $1 returning piece`,
    [hash],
  );
  if (extended.length > 0) return;
  for (let piece = 0, at = 0; at < packed.length; piece++, at += PIECE_BYTES)
    // Another caller may have the same inputs.
    await queries.query(`insert into inputs values ($1, $2, $3, now() + ${LIFE}) on conflict do nothing`, [
      hash,
      piece,
      packed.subarray(at, at + PIECE_BYTES),
    ]);
}

/** @returns null where they are gone; "invalid" where they are not those of the hash */
export async function getInputs(queries: Queries, hash: string): Promise<Buffer | "invalid" | null> {
  const pieces: Buffer[] = [];
  for (;;) {
    const [row] = await queries.query<{ bytes: Buffer }>(
      "select bytes from inputs where hash = $1 and piece = $2",
      [hash, pieces.length],
    );
    if (row === undefined) break;
    pieces.push(row.bytes);
  }
  if (pieces.length === 0) return null;
  try {
    const inputs = await promisify(gunzip)(Buffer.concat(pieces), { maxOutputLength: MAX_INPUT_BYTES });
    if (hashOf(inputs) === hash) return inputs;
  } catch {
    // Anyone who may write there can write anything.
  }
  return "invalid";
}

export async function dropInputs(queries: Queries, hash: string): Promise<void> {
  await queries.query("delete from inputs where hash = $1", [hash]);
}

export async function dropExpiredInputs(queries: Queries): Promise<void> {
  await queries.query("delete from inputs where expires_at < now()");
}
