/**
 * JSON fields that the sequencer, its bridge, its queue of proofs, its full nodes and clients exchange, once
 * for both ends: schemas to read them, and functions to write them. docs/reference/api.md is the contract.
 */

import { hex32 } from "@openledger/foundation/hex";
import { z } from "zod";
import { type Groth16Proof, realFirst } from "./groth16-proof.ts";

export const count = z.int().nonnegative().max(Number.MAX_SAFE_INTEGER);
/** 40 bits. */
export const counter = z
  .int()
  .nonnegative()
  .max(2 ** 40 - 1);
/** Id of a leaf: 24 bits. */
export const leafId = z
  .int()
  .nonnegative()
  .max(2 ** 24 - 1);
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "is not an L1 address")
  .transform(BigInt);
/** Bytes as 0x-hex, at most `maxBytes`. */
export const hexBytes = (maxBytes: number) =>
  z
    .string()
    .max(2 + 2 * maxBytes)
    .regex(/^0x([0-9a-fA-F]{2})*$/, "is not 0x-hex of whole bytes")
    .transform((text) => Uint8Array.from(Buffer.from(text.slice(2), "hex")));

/** A field element. Whether it is below the field's order is the reader's business. */
export const element = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, "is not 0x-hex of at most 32 bytes")
  .transform(BigInt);
export const elementOrDecimal = z
  .string()
  .regex(/^(0x[0-9a-fA-F]{1,64}|[0-9]{1,78})$/, "is neither 0x-hex nor decimal")
  .transform(BigInt);
export const wei = z
  .string()
  .regex(/^[0-9]{1,78}$/, "is not a decimal string of wei")
  .transform(BigInt);
/** 32 bytes, in lower case. */
export const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, "is not 0x-hex of 32 bytes")
  .transform((text) => text.toLowerCase() as `0x${string}`);

/** Leaves that a model pays for some of its rows; 0 rows for an absent payee, behind the payees of a shard. */
export const payee = z.strictObject({
  contributorId: leafId,
  validatorId: leafId,
  rowCount: z
    .int()
    .nonnegative()
    .max(2 ** 32 - 1),
});

/** Signature of a leaf's key (EdDSA on Baby Jubjub). */
export const signature = z.strictObject({ r8x: element, r8y: element, s: element });

const pair = z.tuple([elementOrDecimal, elementOrDecimal]);
/** The real part of G2's coordinates first. */
export const proof = z.object({
  a: pair,
  b: z.tuple([pair, pair]).transform(([x, y]) => realFirst(x, y)),
  c: pair,
});

/** JSON form of a proof, which `proof` parses. */
export function proofJson({ a, b, c }: Groth16Proof): z.input<typeof proof> {
  const pairOf = ([x, y]: readonly [bigint, bigint]): [string, string] => [hex32(x), hex32(y)];
  return { a: pairOf(a), b: [pairOf(b[0]), pairOf(b[1])], c: pairOf(c) };
}
