/**
 * Signatures of ledger operations, by the rules of eddsa.circom: Schnorr signatures on BabyJubJub, keys and
 * nonces derived as EdDSA does, S · B8 = R8 + V · A. Clients sign, the sequencer and whoever replays L1 verify.
 *
 * The curve is a·x² + y² = 1 + d·x²·y² with a = 168700 (a square) and d = 168696 (none), so its addition has no
 * exceptions; its order is 8l (ERC-2494). `initPoseidon` must have been awaited.
 */
import { blake512 } from "@noble/hashes/blake1.js";
import { circuitError } from "../../circuit-errors.ts";
import { FIELD_ORDER, TAG } from "../../protocol.ts";
import { type SignatureEquation, SignatureKernel } from "../../wasm/signature-kernel.ts";
import {
  type HashRequest,
  hashTagged,
  hashTaggedMany,
  nativeField,
  poseidonImplementation,
} from "../poseidon.ts";
import { squareRoot } from "../square-root.ts";
import { Point } from "./baby-jubjub.ts";
import { isInSubgroup } from "./subgroup.ts";

/** Affine point; coordinates are field elements, 0 ≤ x < r. */
export interface CurvePoint {
  x: bigint;
  y: bigint;
}

/** r8x and s are the signature. r8y follows from r8x, and spares a verifier the root. */
export interface Signature {
  r8x: bigint;
  r8y: bigint;
  s: bigint;
}

/** An operation's parts, under its rollup's domain: docs/reference/ledger.md, "Message signed". */
export type OperationMessage = readonly [
  domain: bigint,
  parts: readonly [core: bigint, bRef: bigint, w: bigint],
];
/**
 * Signed message: an operation, or any other field element. No field element equals an operation's message.
 */
export type Message = bigint | OperationMessage;
/** Message of an unsigned slot's dummy signature, under the tag 0. */
export const DUMMY_MESSAGE: OperationMessage = [0n, [0n, 0n, 0n]];

type NoblePoint = (typeof Point)["BASE"];
const { Fp: field, BASE: base8 } = Point;

/** Order of the subgroup that keys live in. */
export const SUBGROUP_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n;

/** Coefficients of the curve's equation (ERC-2494). */
export const CURVE_A = 168700n;
export const CURVE_D = 168696n;
/** circomlib's generator of the subgroup, 8 times ERC-2494's. */
export const BASE8: CurvePoint = {
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
};

/**
 * A public secret key. An unsigned slot carries a signature by it, since the circuit checks one in every
 * slot; what it signs moves nothing.
 */
export const DUMMY_SECRET: Uint8Array = new TextEncoder().encode("unsigned slot; everyone knows it");

/**
 * True if a leaf may hold the point as its key: on the curve and of prime order (so not the identity, and x ≠
 * 0).
 */
export function isUsableKey(point: CurvePoint): boolean {
  return isOnCurve(point) && point.x !== 0n && isInSubgroup(point);
}

/**
 * The usable key with this x-coordinate, or null if there is none.
 *
 * A leaf stores x alone. The curve has (x, y) and (x, −y) there, and (x, −y) = −(x, y) + (0, −1), which is off
 * the subgroup when (x, y) is on it, as (0, −1) has order 2: at most one of the two is usable.
 */
export function recoverPublicKey(keyX: bigint): CurvePoint | null {
  const known = recovered.get(keyX);
  if (known !== undefined) return known;
  const key = computePublicKey(keyX);
  rememberPublicKey(keyX, key);
  return key;
}

/**
 * Cached keys: a root and a subgroup check take about 0.1 ms, and a ledger sees the same keys again. The oldest goes
 * first.
 */
const RECOVERED_LIMIT = 10_000;
const recovered = new Map<bigint, CurvePoint | null>();

/**
 * Stores the result of `recoverPublicKey` in another thread, so that this thread does not compute it again.
 */
export function rememberPublicKey(keyX: bigint, key: CurvePoint | null): void {
  if (recovered.size >= RECOVERED_LIMIT && !recovered.has(keyX))
    recovered.delete(recovered.keys().next().value as bigint);
  recovered.set(keyX, key);
}

function computePublicKey(keyX: bigint): CurvePoint | null {
  if (keyX <= 0n || keyX >= FIELD_ORDER) return null;
  const xx = field.sqr(keyX);
  const yy = field.div(field.sub(1n, field.mul(CURVE_A, xx)), field.sub(1n, field.mul(CURVE_D, xx)));
  const y = squareRoot(yy);
  if (y === null) return null; // no point has this x
  return [y, field.neg(y)].map((root) => ({ x: keyX, y: root })).find(isUsableKey) ?? null;
}

/** The y-coordinate of the usable key with this x-coordinate, or null. */
export function recoverKeyY(keyX: bigint): bigint | null {
  return recoverPublicKey(keyX)?.y ?? null;
}

/** A secret's public key, and what signs with it. */
export interface Signer {
  readonly key: CurvePoint;
  /** Signs deterministically, as EdDSA: R8 = r·B8 with r from a hash of secret and message, S = r + V·a. */
  sign(message: Message): Signature;
}

/** Expands a secret once for any number of signatures, in circomlibjs' way. A bigint secret is its 32 bytes, big-endian. */
export function createSigner(secret: Uint8Array | bigint): Signer {
  const expanded = expandSecret(secret);
  const key = encode(base8.multiply(expanded.scalar));
  return { key, sign: (message) => signExpanded(expanded, key, message) };
}

/** Derives a secret's public key, as circomlibjs' prv2pub of EdDSA. */
export const derivePublicKey = (secret: Uint8Array | bigint): CurvePoint => createSigner(secret).key;

/** Signs one message. `createSigner` takes half the time of each further one. */
export const signMessage = (secret: Uint8Array | bigint, message: Message): Signature =>
  createSigner(secret).sign(message);

function signExpanded({ scalar, prefix }: ExpandedSecret, key: CurvePoint, message: Message): Signature {
  const [tag, parts] = taggedParts(message);
  // The tag is hashed, too: one nonce for two messages would give the key away.
  const hashed = [prefix, ...[tag, ...parts].map(toLittleEndian)].reduce(concat);
  const nonce = fromLittleEndian(blake512(hashed)) % SUBGROUP_ORDER;
  const r8 = encode(base8.multiply(nonce));
  const factor = signatureFactor({ r8x: r8.x, keyX: key.x, message });
  const s = (nonce + factor * scalar) % SUBGROUP_ORDER;
  return { r8x: r8.x, r8y: r8.y, s };
}

/** Signature to check, by the key at `keyX`. Without `keyY` the usable key at that x-coordinate is meant. */
export interface SignatureCheck {
  readonly keyX: bigint;
  readonly keyY?: bigint;
  readonly message: Message;
  readonly signature: Signature;
}

/**
 * True if the circuit has a witness for this signature. A signature with R8 = identity is invalid: the
 * circuit cannot convert it, and only a deliberate signer makes one.
 */
export function verifySignature(check: SignatureCheck): boolean {
  const known = check.keyY === undefined ? verdictOn(check) : undefined;
  return known?.isValid ?? verifySignatures([check])[0]!;
}

type SignedMessage = Omit<SignatureCheck, "keyY">;
interface Verdict extends SignedMessage {
  readonly r8x: bigint;
  /** null if the signature has not been checked. */
  readonly isValid: boolean | null;
  /** Challenge, the hash in the signature's equation; null if not yet computed. */
  readonly challenge: bigint | null;
}
const verdicts = new WeakMap<Signature, Verdict>();

function verdictOn({ keyX, message, signature }: SignedMessage): Verdict | undefined {
  const known = verdicts.get(signature);
  const isIt = known?.keyX === keyX && known.r8x === signature.r8x && isSameMessage(known.message, message);
  return isIt ? known : undefined;
}

/**
 * Stores the verdict of `judgeSignatures` in another thread on this very signature: `verifySignature` returns it for
 * the same key and message. The signature is frozen, so the verdict stays valid.
 */
export function rememberVerdict(
  check: SignedMessage,
  isValid: boolean | null,
  challenge: bigint | null = null,
): void {
  const { keyX, message, signature } = check;
  if (isValid !== null) Object.freeze(signature);
  verdicts.set(signature, { keyX, message, signature, r8x: signature.r8x, isValid, challenge });
}

/** Challenges of the signatures. Hashes only those that are not yet known. */
export function challengesOf(checks: readonly SignedMessage[]): bigint[] {
  const known = checks.map((check) => verdictOn(check)?.challenge ?? null);
  const missing = checks.filter((_, i) => known[i] === null);
  const made = hashTaggedMany(
    missing.map(({ keyX, message, signature: { r8x } }) => challengeRequest({ r8x, keyX, message })),
  );
  for (const [i, check] of missing.entries())
    if (!verdicts.has(check.signature)) rememberVerdict(check, null, made[i]!);
  let next = 0;
  return known.map((challenge) => challenge ?? made[next++]!);
}

/**
 * Follows `verifySignature` for many signatures at once, in our own code: less than a twentieth of noble's
 * time.
 */
export const verifySignatures = (checks: readonly SignatureCheck[]): boolean[] =>
  judgeSignatures(checks).map(({ isValid }) => isValid);

interface Judged {
  readonly isValid: boolean;
  /** null if an earlier check fails. */
  readonly challenge: bigint | null;
}

/** Follows `verifySignatures`, and returns the challenges too. */
export function judgeSignatures(checks: readonly SignatureCheck[]): Judged[] {
  const sound = checks.map(soundCheck);
  const soundChecks = sound.flatMap((check) => check ?? []);
  const challenges = hashTaggedMany(
    soundChecks.map(({ key, r8, message }) => challengeRequest({ r8x: r8.x, keyX: key.x, message })),
  );
  const equations = soundChecks.map(
    ({ key, r8, s }, i): SignatureEquation => ({
      key,
      r8,
      s,
      factor: challengeScalar(challenges[i]!),
    }),
  );
  const isHeld = holdAll(equations);
  let next = -1;
  return sound.map((check) => {
    if (check === null) return { isValid: false, challenge: null };
    next += 1;
    return { isValid: isHeld[next]!, challenge: challenges[next]! };
  });
}

/**
 * Verifies with noble's arithmetic alone: the oracle of `verifySignature`, and the implementation without our
 * kernels.
 */
export function verifySignatureReference(check: SignatureCheck): boolean {
  const sound = soundCheck(check);
  if (sound === null) return false;
  const { key, message, r8, s } = sound;
  return holds({ key, r8, s, factor: signatureFactor({ r8x: r8.x, keyX: key.x, message }) });
}

/**
 * Checks all but the equation: ranges, a usable key, R8 on the curve and not the identity. Returns null if a
 * check fails.
 */
function soundCheck({ keyX, keyY, message, signature: { r8x, r8y, s } }: SignatureCheck) {
  const key = keyY === undefined ? recoverPublicKey(keyX) : { x: keyX, y: keyY };
  if (key === null || (keyY !== undefined && !isUsableKey(key))) return null;
  const [tag, parts] = taggedParts(message);
  if ([tag, ...parts].some((part) => part < 0n || part >= FIELD_ORDER)) return null;
  if (s < 0n || s >= SUBGROUP_ORDER) return null;
  const r8 = { x: r8x, y: r8y };
  if (!isOnCurve(r8) || (r8x === 0n && r8y === 1n)) return null;
  return { key, message, r8, s };
}

function holds({ key, r8, s, factor }: SignatureEquation): boolean {
  const right = Point.fromAffine(key).multiplyUnsafe(factor).add(Point.fromAffine(r8));
  return base8.multiplyUnsafe(s).equals(right);
}

function holdAll(equations: readonly SignatureEquation[]): boolean[] {
  const native = nativeField();
  if (native !== null) return native.holdAll(equations);
  return poseidonImplementation() === "fused" ? checkFused(equations) : equations.map(holds);
}

let kernel: SignatureKernel | undefined;

function checkFused(equations: readonly SignatureEquation[]): boolean[] {
  kernel ??= new SignatureKernel(baseMultiples());
  const isHeld: boolean[] = [];
  for (let i = 0; i < equations.length; i += 2) {
    const first = equations[i]!;
    isHeld.push(...kernel.check(first, equations[i + 1] ?? first));
  }
  return isHeld.slice(0, equations.length);
}

function baseMultiples(): CurvePoint[] {
  const multiples = [Point.ZERO];
  while (multiples.length < 256) multiples.push(multiples.at(-1)!.add(base8));
  return multiples.map(encode);
}

/** h = H[tag](R8x, Ax, parts): neither y is hashed, as a point of the subgroup is the only one of it with its x. */
function challengeRequest({ r8x, keyX, message }: ChallengeInput): HashRequest {
  const [tag, parts] = taggedParts(message);
  return [tag, [r8x, keyX, ...parts]];
}

interface ChallengeInput {
  readonly r8x: bigint;
  readonly keyX: bigint;
  readonly message: Message;
}

/** V of a signature's equation, by R8, key and message: what every signer multiplies their secret by. */
const signatureFactor = (input: ChallengeInput): bigint =>
  challengeScalar(hashTagged(...challengeRequest(input)));

/** V of a challenge: odd, positive, one for each value of its low 128 bits, of which alone it is made. */
export function challengeScalar(challenge: bigint): bigint {
  return (1n << 128n) + 1n + 2n * BigInt.asUintN(128, challenge);
}

/** Tag and field elements that are hashed for a message: an operation's, or any other field element's. */
function taggedParts(message: Message): OperationMessage {
  return typeof message === "bigint" ? [TAG.offChain, [message, 0n, 0n]] : message;
}

function isSameMessage(a: Message, b: Message): boolean {
  const [[tagA, partsA], [tagB, partsB]] = [taggedParts(a), taggedParts(b)];
  return tagA === tagB && partsA.every((part, i) => part === partsB[i]);
}

interface ExpandedSecret {
  readonly scalar: bigint;
  readonly prefix: Uint8Array;
}

function expandSecret(secret: Uint8Array | bigint): ExpandedSecret {
  const bytes = typeof secret === "bigint" ? toLittleEndian(secret).reverse() : secret;
  const expanded = blake512(bytes);
  // RFC 8032's clamping; the shift undoes the factor 8 that the verification multiplies in.
  expanded[0]! &= 0xf8;
  expanded[31]! &= 0x7f;
  expanded[31]! |= 0x40;
  const scalar = (fromLittleEndian(expanded.subarray(0, 32)) >> 3n) % SUBGROUP_ORDER;
  return { scalar, prefix: expanded.subarray(32) };
}

/** True if both coordinates are canonical and satisfy the curve's equation. */
function isOnCurve({ x, y }: CurvePoint): boolean {
  if (x < 0n || x >= FIELD_ORDER || y < 0n || y >= FIELD_ORDER) return false;
  const xx = field.sqr(x);
  const yy = field.sqr(y);
  const left = field.add(field.mul(CURVE_A, xx), yy);
  return left === field.add(1n, field.mul(CURVE_D, field.mul(xx, yy)));
}

function encode(point: NoblePoint): CurvePoint {
  return point.toAffine();
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function toLittleEndian(value: bigint): Uint8Array {
  if (value < 0n || value >> 256n !== 0n) {
    throw circuitError("CIR_INPUT_MISMATCH", "a secret or message must fit 32 bytes", {
      data: { reason: "scalar-range" },
    });
  }
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
