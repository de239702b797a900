/**
 * Every wrong place of a model commitment of a language model's rows that L1 would refuse (docs/explanation/fault-proofs.md): the same rules as
 * the judges of language models in contracts/disputes. An honest owner runs it before he posts.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { tracedAnsweringHash } from "@openledger/attribution/model/answering-hash";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { columnsCommitment, commitColumns } from "@openledger/circuits/settlement/feature-commitment";
import { isSpelledOneWay } from "@openledger/models/tokens/token-spelling";
import type { CommittedModel } from "../../statements/committed-model.ts";
import type { Gap } from "../../statements/direct-faults.ts";
import {
  duplicateFaults,
  entriesOf,
  type FactReadings,
  isSame,
  lengthFaults,
  lengthOfRowFaults,
  rowSizeFaults,
  type SharedFault,
  signedBytes,
} from "../../statements/find-faults.ts";
import { readFact } from "../../statements/leaf-bytes.ts";
import {
  cellFaults,
  type Entries,
  pointFaults,
  readPoints,
  staticsOf,
  versionFaults,
} from "../../statements/tie-faults.ts";
import { wordsOf } from "../../trace/word-tree.ts";
import { type TracedTuple, tracingDigest } from "../claims/ledger-claims.ts";
import type { TracedTextModel } from "../claims/traced-text.ts";
import { wholeTexts } from "./postable-rows.ts";
import { featureLeaf } from "./text-model-commitment.ts";
import {
  type RowTokens,
  type RowTokensFault,
  readRowTokens,
  readTexts,
  rowTokensFault,
  textsOfContent,
} from "./text-row-tokens.ts";

const FLOAT_BYTES = 4;
const MOST_ENTRY = 127;
/** Doubles decide where they are this far from a half; integers where they are nearer. */
const DOUBT = 2 ** -10;

/** A wrong place: what its challenge is called, and where. */
export type TextFault =
  | SharedFault
  | { readonly kind: "statics" | "scale" }
  | ({ readonly kind: "entry"; readonly row: number; readonly column: number } & Gap)
  | { readonly kind: "peak"; readonly row: number }
  | { readonly kind: "tokens"; readonly row: number; readonly found: RowTokensFault }
  /** Real features that are not those of the row's tokens. A game shows it: `challengeRowCall`. */
  | ({ readonly kind: "row"; readonly row: number } & Gap);

type RowFault = Extract<TextFault, { readonly kind: "entry" | "row" }>;

/** What the one who looks knows of the model by itself. */
export interface KnownText {
  readonly traced: Pick<TracedTextModel, "featuresOf" | "model" | "vocabulary">;
  /** Quicker than the trace's. */
  readonly engineFeaturesOf?: TracedTextModel["featuresOf"] | undefined;
  /** With the tokens that `real` is of; null where `real` is. */
  readonly posted: Pick<CommittedModel, "leaves"> | null;
  /** What the statics bind of the trace, as it is registered. */
  readonly terms: TracedTuple;
  /** `realFeatures` of the version's rows; null where the engine takes one of them for no text, or the recipe for too long. */
  readonly real: Float64Array | null;
}

/**
 * Cheap rules first. Lazy: a watcher needs one only. Needs `initPoseidon`.
 * @param owned the version's rows. Where the posted rows are others, the texts behind them are not known, and only that
 *   is found
 * @param known null where the model cannot be opened: then what needs it is not looked for
 */
export function* findTextFaults(
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  known: KnownText | null,
): Generator<TextFault> {
  const readings = { posted, facts: posted.leaves.facts.map(readFact) };
  const entries = entriesIn(posted);
  yield* rowSizeFaults(posted, owned);
  yield* versionFaults(posted, owned);
  yield* cellFaults(entries);
  yield* lengthOfRowFaults(readings);
  yield* peakFaults(readings);
  yield* lengthFaults(readings);
  if (known !== null) yield* staticsFaults(posted, known.terms);
  if (known !== null) yield* tokensFaults(posted, owned, known);
  yield* duplicateFaults(readings, owned, readTexts);
  // Of entries that are no column, L1 says so by `cell`.
  if (!entries.columns.includes(null)) yield* pointFaults(posted, entries, commitOf(posted));
  const isUnsure = unsureRows(owned, known);
  for (const faults of [entryFaults(readings), known === null ? [] : rowFaults(posted, known)])
    for (const fault of faults) yield isUnsure(fault.row) ? { ...fault, isUnsure: true } : fault;
}

/** Whether L1 takes other tokens of a row's texts, too. Each is read once, where it is asked for. */
function unsureRows(owned: readonly OwnedRow[], known: KnownText | null): (row: number) => boolean {
  const spelling = known?.traced.vocabulary?.spelling;
  const whole = spelling ? wholeTexts(spelling) : [];
  const isOneWay = (text: Uint8Array) =>
    !whole.some((bytes) => Buffer.from(text).includes(bytes)) && isSpelledOneWay(spelling!, text);
  const found = new Map<number, boolean>();
  return (row) => {
    const isSure =
      found.get(row) ?? (spelling && textsOfContent(owned[row]!.content)?.every(isOneWay)) ?? true;
    found.set(row, isSure);
    return !isSure;
  };
}

/** −128 has no place in the ledger's own sums, nor in L1's. */
function entriesIn({ leaves, statement: { columnCount, rowCount } }: CommittedModel): Entries {
  const read = (count: number) => (leaf: Uint8Array) => (leaf.length === count ? signedBytes(leaf) : null);
  const [rows, columns] = [leaves.features.map(read(columnCount)), leaves.columns.map(read(rowCount))];
  return { rows, columns, mostEntry: MOST_ENTRY };
}

const commitOf =
  ({ statement: { columnCount, rowCount } }: CommittedModel) =>
  (values: Int16Array) =>
    commitColumns(Int8Array.from(values), rowCount, columnCount);

/** A row's largest size, which no e-mail's fact has; and that the least unit is taken with which no entry saturates. */
function* peakFaults({ facts, posted }: FactReadings): Generator<TextFault> {
  for (const [row, fact] of facts.entries()) {
    const entries = entriesOf(posted, row);
    const largest = entries.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
    const isRight =
      fact !== null &&
      entries.length === posted.statement.columnCount &&
      fact.residual === BigInt(largest) &&
      fact.pull === 0n;
    if (!isRight) yield { kind: "peak", row };
  }
  // A leaf that is no fact is a wrong peak; L1 cannot read the others beside it.
  if (!facts.every((fact) => fact !== null)) return;
  const peaks = facts.map(({ residual }) => BigInt.asUintN(64, residual));
  const most = BigInt(MOST_ENTRY);
  if (!peaks.includes(most) || peaks.some((peak) => peak > most)) yield { kind: "scale" };
}

function* staticsFaults(posted: CommittedModel, terms: TracedTuple): Generator<TextFault> {
  const { statement } = posted;
  const { answering, bucketCount, clipQuantile, roots, sharesDuplicates } = statement;
  const tracing = tracingDigest(terms);
  const points = readPoints(posted);
  // Of other terms L1 takes no model commitment, and can be shown nothing; a leaf that is no point is a wrong one.
  if (points === null || !isSame(hexToBytes(tracing.slice(2)), roots.weights)) return;
  const rules = 1n | (sharesDuplicates ? 2n : 0n) | (clipQuantile << 8n);
  const statics = staticsOf(
    statement,
    columnsCommitment(points),
    tracedAnsweringHash(answering, BigInt(tracing)),
  );
  if (terms.rules !== rules || terms.featureCount !== bucketCount || statics !== statement.staticsHash)
    yield { kind: "statics" };
}

function* tokensFaults(
  posted: CommittedModel,
  owned: readonly OwnedRow[],
  { terms, traced: { vocabulary } }: KnownText,
): Generator<TextFault> {
  // No model of another tokenizer promises its rows.
  if (vocabulary === null) return;
  for (const [row, { content }] of owned.entries()) {
    const found = rowTokensFault(
      vocabulary.spelling,
      Number(terms.programCount),
      content,
      posted.leaves.tokens[row]!,
    );
    if (found !== null) yield { kind: "tokens", row, found };
  }
}

/** Entries that are not the rounding of the posted real feature, times the factor, in the unit. */
function* entryFaults({ facts, posted }: FactReadings): Generator<RowFault> {
  const { bucketCount, columnCount, decay } = posted.statement;
  const unit = new Float64Array(BigUint64Array.of(decay).buffer)[0]!;
  for (const [row, fact] of facts.entries()) {
    const [numbers, entries] = [posted.leaves.map[row]!, entriesOf(posted, row)];
    if (fact === null || numbers.length !== FLOAT_BYTES * bucketCount || entries.length !== columnCount) {
      yield { kind: "entry", row, column: 0 };
      continue;
    }
    const view = new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const factor = Number(fact.factor) / 2 ** 40 / unit;
    for (let column = 0; column < columnCount; column++) {
      const given = entries[column]!;
      const real = column < bucketCount ? view.getFloat32(FLOAT_BYTES * column) * factor : 0;
      const gap = Math.abs(real - given);
      const isRight =
        column >= bucketCount
          ? given === 0
          : gap < 0.5 - DOUBT || isEntry(view.getUint32(FLOAT_BYTES * column), fact.factor, decay, given);
      if (!isRight) yield { kind: "entry", row, column, gap };
    }
  }
}

/** Rows whose real features are not those of their posted tokens, whatever the texts are. Leaves that are none are wrong tokens, or entries. */
function* rowFaults({ leaves, statement }: CommittedModel, known: KnownText): Generator<RowFault> {
  const { posted: own, real, terms } = known;
  const { bucketCount, roots } = statement;
  // Of another model's numbers nothing is known, whatever leaves are served beside it.
  if (!isSame(hexToBytes(tracingDigest(terms).slice(2)), roots.weights)) return;
  for (const [row, leaf] of leaves.tokens.entries()) {
    const numbers = leaves.map[row]!;
    const given = readRowTokens(leaf);
    if (given === null || numbers.length !== FLOAT_BYTES * bucketCount) continue;
    const isOwn = real !== null && own !== null && isSame(leaf, own.leaves.tokens[row] ?? new Uint8Array());
    if (isOwn && isSame(featureLeaf(real, bucketCount, row), numbers)) continue;
    const right = tracedLeaf(known, given);
    if (right !== null && !isSame(right, numbers)) yield { kind: "row", row };
  }
}

/**
 * Of other tokens than the tokenizer's, which no rule may tell on L1. null where they have no trace: that is shown of them.
 * Attack: other tokens in every row, of which a trace each takes hours.
 */
function tracedLeaf(
  { engineFeaturesOf, traced: { featuresOf, model, vocabulary } }: KnownText,
  given: RowTokens,
): Uint8Array | null {
  const { promptCount, tokens } = given;
  if (tokens.length - 1 > model.programs.count) return null;
  const size = vocabulary?.spelling.tokens.length ?? 0;
  const isText = promptCount >= 1 && promptCount < tokens.length && tokens.every((token) => token < size);
  return isText ? wordsOf((engineFeaturesOf ?? featuresOf)({ promptCount, tokens })) : null;
}

/** Half a unit of G, and 2^-20 of one for another machine's doubles: times 2^20. */
const TOLERANCE = (1n << 19n) + 1n;
/** Beyond so many powers of two a number is larger than all entries, or less than any tolerance. */
const MOST_SHIFT = 150n;
const INFINITY = 0x7f800000;

/**
 * Whether `given` is the rounding of a value within 2^-20 of number · factor / unit: the same rule as contracts/disputes/TextJudge.sol,
 * in integers. Tests hold the two equal.
 *
 * @param number bits of a float @param factor times 2^40, below 2^64 @param unit bits of a double, positive and not subnormal
 */
export function isEntry(number: number, factor: bigint, unit: bigint, given: number): boolean {
  const size = number & 0x7fffffff;
  if (size >= INFINITY) return false;
  const exponent = size >>> 23;
  const [m, e] = exponent === 0 ? [size, 1] : [(size & 0x7fffff) | 0x800000, exponent];
  // number = ± m 2^(e - 150), unit = divisor 2^(exponent - 1075): both sides of |value - given| <= tolerance, times 2^20 unit.
  const divisor = (unit & 0xfffffffffffffn) | (1n << 52n);
  const exact = BigInt(e) - 150n - 40n - ((unit >> 52n) - 1075n) + 20n;
  const shift = exact > MOST_SHIFT ? MOST_SHIFT : exact < -MOST_SHIFT ? -MOST_SHIFT : exact;
  const sign = number >>> 31 === 1 ? -1n : 1n;
  const value = sign * BigInt(m) * factor;
  const wanted = (BigInt(given) * divisor) << 20n;
  const room = divisor * TOLERANCE;
  const gap = shift >= 0n ? (value << shift) - wanted : value - (wanted << -shift);
  const most = shift >= 0n ? room : room << -shift;
  return gap <= most && -gap <= most;
}
