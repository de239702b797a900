/**
 * Generators of attribution's Pedersen commitments: BabyJubJub points of the prime-order subgroup, on the
 * Montgomery form v² = u³ + 168698·u² + u, of which nobody knows a relation. feature-commitment.ts multiplies
 * them by features.
 *
 * Derivation of (name, index): for counter = 0, 1, …: u = SHA-256 of the ASCII text "OpenLedger generator
 * v1|name|index|counter" (decimal numbers), big-endian, mod r. The first u whose right side is a square gives
 * (u, the smaller root v); eight times this point is the generator, unless it is the identity.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { FIELD_ORDER } from "../../protocol.ts";
import { squareRoot } from "../square-root.ts";
import { addAll, IDENTITY_U, type MontgomeryPoints } from "./montgomery-points.ts";

const GENERATOR_SEED = "OpenLedger generator v1";

/** row: H_0, H_1, … (one a row); blind: H' (index 0); plane: B_p, where the sum of digit plane p starts. */
export type GeneratorName = "row" | "blind" | "plane";

const known: Record<GeneratorName, MontgomeryPoints> = {
  row: { u: [], v: [] },
  blind: { u: [], v: [] },
  plane: { u: [], v: [] },
};

/**
 * Returns the generators name_0 … name_{count−1}, or more of them. Each is derived once a process, in about 0.07 ms.
 */
export function generators(name: GeneratorName, count: number): Readonly<MontgomeryPoints> {
  const points = known[name];
  const missing: MontgomeryPoints = { u: [], v: [] };
  for (let index = points.u.length; index < count; index++) {
    const { u, v } = deriveGenerator(name, index);
    missing.u.push(u);
    missing.v.push(v);
  }
  const multiples = timesEight(missing);
  multiples.u.forEach((u, i) => {
    // Eight times a hash is the identity once in 2^248 cases; deriveGenerator would have to go on from there.
    if (u === IDENTITY_U) throw new Error(`generator ${name} ${points.u.length + i} is of small order`);
  });
  points.u.push(...multiples.u);
  points.v.push(...multiples.v);
  return points;
}

function deriveGenerator(name: GeneratorName, index: number): { u: bigint; v: bigint } {
  for (let counter = 0; ; counter++) {
    const digest = sha256(new TextEncoder().encode(`${GENERATOR_SEED}|${name}|${index}|${counter}`));
    const u = BigInt(`0x${bytesToHex(digest)}`) % FIELD_ORDER;
    const v = squareRoot(curveRight(u));
    if (v !== null && v !== 0n) return { u, v };
  }
}

function timesEight(points: MontgomeryPoints): MontgomeryPoints {
  const result = { u: [...points.u], v: [...points.v] };
  for (let i = 0; i < 3; i++) addAll(result, result);
  return result;
}

/** Coefficient of u² in the Montgomery form. */
const MONTGOMERY_A = 168698n;

/** u³ + 168698·u² + u, which is v² of a point of BabyJubJub's Montgomery form. Not reduced. */
const curveRight = (u: bigint): bigint => u * ((((u + MONTGOMERY_A) * u) % FIELD_ORDER) + 1n);
