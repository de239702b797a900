/**
 * Groth16 verification keys over bn254, and the verification of proofs without snarkjs: keys from and to JSON,
 * their checks, their form for the contracts. Provers, verifiers and pages verify through `verifyProof`.
 */
import { bn254 } from "@noble/curves/bn254.js";
import {
  type ContractIc,
  type G1Point,
  type G2ImaginaryFirst,
  type G2RealFirst,
  type Groth16Proof,
  realFirst,
  toContractIc,
  toContractOrder,
} from "@openledger/circuits/wire/groth16-proof";
import { z } from "zod";
import { proverError } from "../prover-errors.ts";

// Moduli of the library that computes here, so that a page that verifies loads no WebAssembly.
const baseModulus = bn254.fields.Fp.ORDER;
const scalarModulus = bn254.fields.Fr.ORDER;

/** A Groth16 verification key over bn254. `ic` has one point for the constant 1, then one a public signal. */
export interface VerificationKey {
  alpha: G1Point;
  beta: G2RealFirst;
  gamma: G2RealFirst;
  delta: G2RealFirst;
  ic: readonly G1Point[];
}

const coordinate = z
  .string()
  .regex(/^\d{1,77}$/)
  .transform(BigInt);
// snarkjs writes projective coordinates with a last one of 1.
const g1Schema = z.tuple([coordinate, coordinate, z.literal("1")]).transform(([x, y]): G1Point => [x, y]);
const pair = z.tuple([coordinate, coordinate]);
const g2Schema = z
  .tuple([pair, pair, z.tuple([z.literal("1"), z.literal("0")])])
  .transform(([x, y]) => realFirst(x, y));
const keySchema = z.object({
  protocol: z.literal("groth16"),
  curve: z.literal("bn128"),
  nPublic: z.int().nonnegative(),
  vk_alpha_1: g1Schema,
  vk_beta_2: g2Schema,
  vk_gamma_2: g2Schema,
  vk_delta_2: g2Schema,
  IC: z.array(g1Schema),
});

/**
 * Reads the verification key in snarkjs' JSON (the parsed value, not the text), with all checks of
 * `checkVerificationKey`.
 *
 * @throws RollupError PRV_KEY_INVALID
 */
export function parseVerificationKey(json: unknown): VerificationKey {
  const parsed = keySchema.safeParse(json);
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error), {});
  const { vk_alpha_1, vk_beta_2, vk_gamma_2, vk_delta_2, IC, nPublic } = parsed.data;
  const key = { alpha: vk_alpha_1, beta: vk_beta_2, gamma: vk_gamma_2, delta: vk_delta_2, ic: IC };
  checkVerificationKey(key, nPublic);
  return key;
}

/** Converts a key to snarkjs' JSON form, without vk_alphabeta_12, which no verifier here reads. */
export function toSnarkjsKey(key: VerificationKey): object {
  const g1 = ([x, y]: G1Point) => [x.toString(), y.toString(), "1"];
  const g2 = ([x, y]: G2RealFirst) => [x.map(String), y.map(String), ["1", "0"]];
  return {
    protocol: "groth16",
    curve: "bn128",
    nPublic: key.ic.length - 1,
    vk_alpha_1: g1(key.alpha),
    vk_beta_2: g2(key.beta),
    vk_gamma_2: g2(key.gamma),
    vk_delta_2: g2(key.delta),
    IC: key.ic.map(g1),
  };
}

/** Keys whose points this process has checked: services read the same few again and again. */
const soundKeys = new Set<string>();
const maxSoundKeys = 64;

/**
 * Refuses a key that cannot be sound: a point off its curve, outside the group of order r or at infinity,
 * gamma equal to delta (then the public input's part can be moved into the proof), or an IC point missing.
 * An IC point at infinity would leave its public signal unbound.
 *
 * @throws RollupError PRV_KEY_INVALID
 */
export function checkVerificationKey(key: VerificationKey, publicCount: number): void {
  if (key.ic.length !== publicCount + 1) {
    throw invalid(`${publicCount} public signals need ${publicCount + 1} IC points, not ${key.ic.length}`, {
      publicCount,
      icCount: key.ic.length,
    });
  }
  const text = textOf(key);
  if (soundKeys.has(text)) return;
  readPoint("alpha", () => g1(key.alpha));
  readPoint("beta", () => keyG2(key.beta));
  const gamma = readPoint("gamma", () => keyG2(key.gamma));
  const delta = readPoint("delta", () => keyG2(key.delta));
  for (const [i, point] of key.ic.entries()) readPoint(`ic[${i}]`, () => g1(point));
  if (gamma.equals(delta)) throw invalid("gamma equals delta", {});
  if (soundKeys.size >= maxSoundKeys) soundKeys.clear();
  soundKeys.add(text);
}

/**
 * Checks a proving key's header likewise, with the points that provers alone need.
 * @throws RollupError PRV_KEY_INVALID
 */
export function checkHeaderPoints(header: {
  verificationKey: VerificationKey;
  publicCount: number;
  beta1: G1Point;
  delta1: G1Point;
}): void {
  checkVerificationKey(header.verificationKey, header.publicCount);
  for (const name of ["beta1", "delta1"] as const) readPoint(name, () => g1(header[name]));
}

/** Lines of Miller's loop at a point of G2. */
type Lines = ReturnType<typeof linesOf>;
const linesOf = (point: ReturnType<typeof g2>) => bn254.utils.calcPairingPrecomputes(point);

/** A key's points, checked, and what no proof changes of the pairings. */
interface PreparedKey {
  ic: ReturnType<typeof g1>[];
  gamma: Lines;
  delta: Lines;
  /** e(alpha, beta) */
  constant: ReturnType<typeof bn254.pairing>;
}

/** Remembers what is made of a text, for the last `max` texts. What throws is not remembered. */
function remembering<Value>(max: number): (text: string, make: () => Value) => Value {
  const values = new Map<string, Value>();
  return (text, make) => {
    const known = values.get(text);
    if (known !== undefined) return known;
    const value = make();
    if (values.size >= max) values.delete(values.keys().next().value!);
    values.set(text, value);
    return value;
  };
}

/** Maximum prepared keys: half of a verification concerns the key alone, and few circuits' are in use at a time. */
const maxPreparedKeys = 16;
const preparedOf = remembering<PreparedKey>(maxPreparedKeys);
/** e(alpha, beta): keys of one ceremony have the same. */
const constantOf = remembering<PreparedKey["constant"]>(maxPreparedKeys);

/**
 * Prepares a key for verification. Keys come through messages as copies, so a known one is recognised by its
 * content.
 */
function prepareKey(key: VerificationKey): PreparedKey {
  const { alpha, beta, gamma, delta, ic } = key;
  const text = textOf(key);
  return preparedOf(text, () => ({
    ic: ic.map(soundKeys.has(text) ? pointOfG1 : g1),
    gamma: linesOf(keyG2(gamma)),
    delta: linesOf(keyG2(delta)),
    constant: constantOf([...alpha, ...beta.flat()].join(), () => bn254.pairing(g1(alpha), keyG2(beta))),
  }));
}

/**
 * Verifies in this process and thread, about 16 ms, and 30 ms with a key for the first time. The pairing is
 * noble's, not snarkjs', so it also checks one library against the other, and it leaves no threads behind.
 *
 * @returns false for anything but a valid proof: also for points off the curve or at infinity (no honest
 * proof has one), a wrong number of public signals, and signals that are not below r
 */
export function verifyProof(
  key: VerificationKey,
  proof: Groth16Proof,
  publicSignals: readonly bigint[],
): boolean {
  if (publicSignals.length !== key.ic.length - 1) return false;
  if (publicSignals.some((signal) => signal < 0n || signal >= scalarModulus)) return false;
  try {
    const { Fp12 } = bn254.fields;
    const { ic, gamma, delta, constant } = prepareKey(key);
    let sum = ic[0]!;
    for (const [i, signal] of publicSignals.entries()) {
      // noble refuses to multiply with zero
      if (signal !== 0n) sum = sum.add(ic[i + 1]!.multiplyUnsafe(signal));
    }
    const pair = (lines: Lines, point: typeof sum): [Lines, bigint, bigint] => {
      const { x, y } = point.toAffine();
      return [lines, x, y];
    };
    const product = bn254.millerLoopBatch([
      pair(linesOf(g2(proof.b)), g1(proof.a).negate()),
      pair(delta, g1(proof.c)),
      ...(sum.is0() ? [] : [pair(gamma, sum)]),
    ]);
    return Fp12.eql(Fp12.mul(Fp12.finalExponentiate(product), constant), Fp12.ONE);
  } catch {
    return false; // noble throws on points that are no points
  }
}

/** Verifying key in the contracts' form (struct: alpha, beta, delta, ic). gamma is the generator of G2. */
export interface SolidityKey {
  alpha: G1Point;
  beta: G2ImaginaryFirst;
  delta: G2ImaginaryFirst;
  ic: ContractIc;
}

/** Converts a key to the contracts' form. @throws RollupError PRV_KEY_INVALID if gamma is not the generator */
export function toSolidityKey(key: VerificationKey): SolidityKey {
  if (!keyG2(key.gamma).equals(bn254.G2.Point.BASE)) {
    throw invalid("the contracts take the generator of G2 as gamma, and this key has another one", {});
  }
  return {
    alpha: key.alpha,
    beta: toContractOrder(key.beta),
    delta: toContractOrder(key.delta),
    ic: toContractIc(key.ic),
  };
}

const textOf = ({ alpha, beta, delta, gamma, ic }: VerificationKey): string =>
  JSON.stringify([alpha, beta, gamma, delta, ic], bigintsToText);

function bigintsToText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function readPoint<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(`${name} is no point of its group, or the point at infinity`, { name }, cause);
  }
}

/** Converts to noble's point, unchecked. */
export const pointOfG1 = ([x, y]: G1Point) => bn254.G1.Point.fromAffine({ x, y });
/** Converts to noble's point, unchecked. */
export const pointOfG2 = ([[x0, x1], [y0, y1]]: G2RealFirst) =>
  bn254.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } });

function g1(affine: G1Point) {
  checkCoordinates(...affine);
  const point = pointOfG1(affine);
  refuseInfinity(point); // noble's own check lets it pass
  point.assertValidity();
  return point;
}

function g2(affine: G2RealFirst) {
  checkCoordinates(...affine[0], ...affine[1]);
  const point = pointOfG2(affine);
  refuseInfinity(point);
  // Every key's gamma: checked by the one who chose the curve.
  if (point.equals(bn254.G2.Point.BASE)) return point;
  // Also the group: the twist has points outside the one of order r, and noble's test ψ(P) = (t − 1)P means that rP = 0.
  point.assertValidity();
  return point;
}

const keyPointOf = remembering<ReturnType<typeof g2>>(maxSoundKeys);
/** Converts a point of G2 that a key has, checked once: beta is the same in all of one ceremony. */
const keyG2 = (affine: G2RealFirst) => keyPointOf(affine.flat().join(), () => g2(affine));

function refuseInfinity(point: { is0(): boolean }): void {
  if (point.is0()) throw new RangeError("the point at infinity");
}

function checkCoordinates(...values: bigint[]): void {
  if (values.some((value) => value < 0n || value >= baseModulus)) throw new RangeError("not below q");
}

function invalid(reason: string, data: object, cause?: unknown) {
  return proverError("PRV_KEY_INVALID", `the verification key is not usable: ${reason}`, { data, cause });
}
