/**
 * Sizes of settlement circuits: their capacity in rows, features, payees, payments and draws (payments that randomness
 * samples), their names, and which model fits one. The registry builds circuits by them; registration and settlement choose
 * one.
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { circuitError } from "../circuit-errors.ts";
import { areBuckets, bucketsOfShape, directShape, requireBuckets } from "../ledger/direct-query.ts";
import { unpackBinding } from "../ledger/leaf.ts";
import { maxPayees, type Payee, payeeShards, shardCountOf } from "../ledger/payee-shards.ts";
import { MAX_PAYEE_COUNT } from "../protocol.ts";

/**
 * Capacity of a circuit of sort Settlement. A model's features are exactly `features`, zero columns included.
 */
export interface SettlementSize {
  readonly rows: number;
  readonly features: number;
  readonly payees: number;
  readonly payments: number;
  /** Number of draws: a power of two, at most 128, because the void count has 8 bits. */
  readonly draws: number;
  /** True for direct models: `features` are their buckets, and the bias's column follows the buckets'. */
  readonly isDirect?: boolean;
  /**
   * Maximum shards, of two circuits: one of the draws, and one of each shard, whose rows and payees these are. Absent:
   * one proves all.
   */
  readonly shards?: number;
}

/** log2 of the number of draws. @throws CIR_SETTLEMENT_SIZE */
export function drawBits(draws: number): number {
  const bits = Math.log2(draws);
  if (!Number.isInteger(bits) || bits < 0 || bits > 7) throw sizeError("draws", draws, 128);
  return bits;
}

/** Requires a size that a circuit can have. @throws CIR_SETTLEMENT_SIZE */
export function requireSize(size: SettlementSize): void {
  const limits: [what: Exclude<keyof SettlementSize, "isDirect" | "shards">, max: number][] = [
    ["rows", 2 ** 20],
    ["features", size.isDirect === true ? 4_096 : 2072],
    ["payees", MAX_PAYEE_COUNT],
    ["payments", 2 ** 16 - 1],
    ["draws", 128],
  ];
  for (const [what, max] of limits) {
    const input = size[what];
    if (!Number.isInteger(input) || input < 1 || input > max) throw sizeError(what, input, max);
  }
  drawBits(size.draws);
  if (size.isDirect === true) requireBuckets(size.features);
}

export function settlementCircuitName(size: SettlementSize): string {
  const sort = size.isDirect === true ? "direct" : "settlement";
  return `${sort}-${size.rows}-${size.features}-${size.payees}-${size.payments}-${size.draws}`;
}

/** The sizes in a settlement circuit's name, or null for another name. */
export function parseSettlementName(name: string): SettlementSize | null {
  const [, sort, ...sizes] = /^(settlement|direct)-(\d+)-(\d+)-(\d+)-(\d+)-(\d+)$/.exec(name) ?? [];
  const [rows, features, payees, payments, draws] = sizes.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (sort === "settlement") return { rows, features, payees, payments, draws };
  return sort === "direct" && areBuckets(features)
    ? { rows, features, payees, payments, draws, isDirect: true }
    : null;
}

/**
 * Column field of a model's binding, 12 bits: its features, or a direct model's shape. @throws
 * CIR_SETTLEMENT_SIZE
 */
export function columnShape({ features, isDirect }: Pick<SettlementSize, "features" | "isDirect">): bigint {
  return BigInt(isDirect === true ? directShape(features) : features);
}

/** Columns that a draw scores by: a model's, or those of a pair of a direct model's labels. */
export function columnCount({ features, isDirect }: Pick<SettlementSize, "features" | "isDirect">): number {
  return isDirect === true ? features + 1 : features;
}

/**
 * Size that a model needs of its settlement circuits: at least the rows and payees of its largest shards, and
 * exactly its features and draws.
 */
export interface ModelShape extends Omit<SettlementSize, "payments" | "shards"> {
  /**
   * null before its payees are known: then `rows` are all of its rows, and it may be divided as the circuits
   * need it.
   */
  readonly shards: number | null;
}

/**
 * Shards of payees in their places: their number, and rows and payees of the largest. @throws
 * CIR_SETTLEMENT_SIZE
 */
export function shapeOfPayees(payees: readonly Pick<Payee, "rowCount">[]) {
  const shards = payeeShards(payees.map((payee) => payee.rowCount));
  return {
    shards: shards.length,
    rows: Math.max(...shards.map((shard) => shard.rowCount)),
    payees: maxPayees(payees),
  };
}

/**
 * Shape of a model, from the binding in its statics, which the owner signed and the datanet approved.
 * @param payees in their places; null before they are known
 * @throws CIR_SETTLEMENT_SIZE
 */
export function modelShape(
  { binding }: { readonly binding: bigint },
  payees: readonly Pick<Payee, "rowCount">[] | null,
): ModelShape {
  const { rowCount, featureCount, drawBits: bits } = unpackBinding(binding);
  const buckets = bucketsOfShape(Number(featureCount));
  const positions = payees === null ? null : shapeOfPayees(payees);
  return {
    rows: positions !== null && positions.shards > 1 ? positions.rows : Number(rowCount),
    features: buckets ?? Number(featureCount),
    payees: positions?.payees ?? 1,
    draws: 2 ** Number(bits),
    shards: positions?.shards ?? null,
    ...(buckets !== null && { isDirect: true }),
  };
}

/** First mismatch of a model and its circuits: `given` is the model's value, `has` theirs. */
export interface Misfit {
  readonly what: Exclude<keyof ModelShape, "isDirect">;
  readonly given: number;
  readonly has: number;
}

/** Finds why circuits of this size settle no epoch of such a model; null if they do. */
export function misfitOf(size: Omit<SettlementSize, "payments">, model: ModelShape): Misfit | null {
  // 1,024 buckets are no 1,024 features: the number's meaning depends on the kind.
  const isSameKind = (model.isDirect === true) === (size.isDirect === true);
  const ofFeatures = (shape: Pick<SettlementSize, "features" | "isDirect">) =>
    isSameKind ? shape.features : Number(columnShape(shape));
  const has = { ...size, shards: size.shards ?? 1 };
  const isCut = size.shards !== undefined;
  const rows = model.shards === null ? has.rows * has.shards : has.rows;
  const fits: readonly [what: Misfit["what"], fits: boolean][] = [
    ["shards", model.shards === null || (model.shards <= has.shards && model.shards > 1 === isCut)],
    ["rows", model.rows <= rows],
    ["payees", model.payees <= size.payees],
    ["features", isSameKind && model.features === size.features],
    ["draws", model.draws === size.draws],
  ];
  const what = fits.find(([, isFitting]) => !isFitting)?.[0];
  if (what === undefined) return null;
  return what === "features"
    ? { what, given: ofFeatures(model), has: ofFeatures(size) }
    : { what, given: model[what] ?? 1, has: what === "rows" ? rows : has[what] };
}

/**
 * True if circuits of this size hold these payees' rows, divided into shards if the size has some. @param
 * payees none absent
 */
export function holdsPayees(
  { payees: max, rows, shards }: Pick<SettlementSize, "payees" | "rows" | "shards">,
  payees: readonly Payee[],
): boolean {
  const rowCount = payees.reduce((sum, payee) => sum + payee.rowCount, 0);
  if (shards === undefined) return rowCount <= rows && payees.length <= max;
  // Bounds the work of the division.
  if (rowCount > rows * shards || payees.length > max * shards) return false;
  const count = shardCountOf(payees, { payees: max, rows });
  return count > 1 && count <= shards;
}

/** Error of a value that does not fit a circuit: `given` of `what`, with a maximum of `max`. */
export function sizeError(what: string, given: number, max: number): RollupError {
  return circuitError("CIR_SETTLEMENT_SIZE", `${given} ${what}; at most ${max} fit`, {
    data: { what, given, max },
  });
}

/** Bits of packed private values in an element of C. */
const PACKED_BITS = 252;
/** Bits of a payee's remainder W_m mod 2^40. */
const REMAINDER_BITS = 40;
/** Position of the validity bit, above a draw's packed amount before its payment. */
const VALID_BIT = 128n;

/** Packs values of `width` bits into elements, as many as fit `bits`, the first lowest. */
export function packed(values: readonly bigint[], width: number, bits: number = PACKED_BITS): bigint[] {
  const perElement = Math.floor(bits / width);
  return Array.from({ length: Math.ceil(values.length / perElement) }, (_, i) =>
    values
      .slice(i * perElement, (i + 1) * perElement)
      .reduceRight((sum, value) => (sum << BigInt(width)) | value, 0n),
  );
}

/** Elements of rows and payees that C absorbs after E: every array has the circuit's length. */
export function rowElements(values: {
  /** W_m mod 2^40 of each payee. */
  readonly remainders: readonly bigint[];
  /** The payee of each row; M for padding rows. */
  readonly owners: readonly number[];
}): bigint[] {
  const steps = values.owners.map((owner, i) => BigInt(owner - (i === 0 ? 0 : values.owners[i - 1]!)));
  return [...packed(values.remainders, REMAINDER_BITS), ...packed(steps, 1)];
}

/**
 * Elements of payments and draws that C absorbs after those of rows; every array has the circuit's length.
 */
export function drawElements(values: {
  /** Number of draws that hit each payment. */
  readonly hits: readonly number[];
  /**
   * Each draw: payer | cumulative wei << 24 before and after its payment, the receipt, and whether it is
   * opened.
   */
  readonly draws: readonly { before: bigint; after: bigint; receipt: bigint; isValid: boolean }[];
}): bigint[] {
  return [
    ...packed(values.hits.map(BigInt), drawBits(values.draws.length) + 1),
    ...values.draws.flatMap(({ before, after, receipt, isValid }) => [
      before | (BigInt(isValid) << VALID_BIT),
      after,
      receipt,
    ]),
  ];
}
