/**
 * The JSON fields that the sequencer, its bridge, its provers, its followers and clients exchange, once for both ends:
 * schemas that read them, and what writes them. docs/api.md is the contract.
 */
import { z } from "zod";
import { type Groth16Proof, realFirst } from "../field/groth16-proof.ts";

/** 32 bytes as 0x-hex. */
export const hex32 = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, "0")}`;

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

const pair = z.tuple([elementOrDecimal, elementOrDecimal]);
/** The real part of G2's coordinates first. */
export const proof = z.object({
  a: pair,
  b: z.tuple([pair, pair]).transform(([x, y]) => realFirst(x, y)),
  c: pair,
});

/** What `proof` reads. */
export function proofJson({ a, b, c }: Groth16Proof) {
  const pairOf = ([x, y]: readonly [bigint, bigint]) => [hex32(x), hex32(y)] as const;
  return { a: pairOf(a), b: [pairOf(b[0]), pairOf(b[1])] as const, c: pairOf(c) };
}
