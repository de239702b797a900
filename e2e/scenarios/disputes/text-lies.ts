/** Lies about a language model's rows: in one transaction shown, or by a game (docs/explanation/fault-proofs.md). */
import type { QuantisedFeatures } from "@openledger/attribution/features/quantise";
import type { Trained } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { asRow, type TracedQuery } from "@openledger/challenger/games/claims/traced-model";
import type { TracedTextModel } from "@openledger/challenger/games/claims/traced-text";
import { textModelCommitment, withTextTrees } from "@openledger/challenger/games/rows/text-model-commitment";
import {
  type RowTokens,
  readRowTokens,
  readTexts,
  rowTokensLeaf,
} from "@openledger/challenger/games/rows/text-row-tokens";
import { claimedNumbers, falseTrace, placeOf } from "@openledger/challenger/games/testing/played-games";
import type { FaultName } from "@openledger/challenger/model-commitments/read-windows";
import { nearestLeaders } from "@openledger/challenger/statements/text-overlap";
import { chainKernels } from "@openledger/challenger/trace/run-trace";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { toHex } from "viem";
import { type CommitmentLie, changedFact, clipLies, type MadeLie, ONE, type ToldLie, toldOf } from "./lie.ts";
import { APART } from "./text-base.ts";

/** An honest model with the promise of its rows, and what its owner knows of it. */
export interface HonestTexts {
  readonly trained: Trained<TextParts>;
  readonly rows: readonly OwnedRow[];
  readonly traced: TracedTextModel;
  /** Real features of its rows. */
  readonly real: Float64Array;
  readonly setting: TextSetting;
  /** The model as it is registered, with its statics. */
  register(trained: Trained<TextParts>): PublishedModel<TextParts>;
}

type TextLie = CommitmentLie<HonestTexts, PublishedModel<TextParts>>;
type RowLie = MadeLie<PublishedModel<TextParts>>;

/** The row that lies are about. */
export const LIAR_ROW = 1;
const MOST_ENTRY = 127;
const FREQUENT = ["The union?", "The peace?", "The treasury?"];

export const byteAt = (place: number, change: (byte: number) => number) => (leaf: Uint8Array) =>
  leaf.map((byte, at) => (at === place ? change(byte) & 0xff : byte));
const tokens = (change: (own: RowTokens) => Partial<RowTokens>) => (leaf: Uint8Array) => {
  const own = readRowTokens(leaf)!;
  return rowTokensLeaf({ ...own, ...change(own) });
};
export const more = (byte: number) => byte + 1;
const halved = (leaf: Uint8Array) => leaf.map((byte) => ((byte << 24) >> 25) & 0xff);

const told = (name: string, description: string, fault: FaultName, lie: ToldLie): TextLie => ({
  ...{ name, description, fault, isFought: false },
  make: async (made) => {
    const whole = lieOf(made, made.trained.features as QuantisedFeatures, made.real, null);
    return {
      ...whole,
      posted(modelId) {
        const honest = whole.posted(modelId);
        const { leaves, numbers } = toldOf(honest, lie);
        return withTextTrees(leaves, numbers, toHex(honest.statement.roots.weights));
      },
    };
  },
});

export const TEXT_LIES: readonly TextLie[] = [
  {
    name: "frequent",
    description: "a row of G in the direction of frequent queries, as long as it was, beside right features",
    ...{ fault: "Entry", isFought: false },
    async make(made) {
      const features = made.trained.features as QuantisedFeatures;
      const { featureCount, values } = features;
      // The largest entry of all stays: without it the unit would be wrong, too.
      const peak = values.findIndex((entry) => Math.abs(entry) === MOST_ENTRY);
      const from = peak < featureCount ? featureCount : 0;
      const changed = values.slice();
      changed.set(await towardsQueries(made, values.subarray(from, from + featureCount)), from);
      return lieOf(made, { ...features, values: changed }, made.real, null);
    },
  },
  {
    name: "played",
    description: "a false sum in the middle of a row's pass, and G made of it; defended to the end",
    ...{ fault: "Row", isFought: true },
    make: (made) => falsePass(made),
  },
  {
    name: "silent",
    description: "the same; then silence",
    ...{ fault: "Row", isFought: false },
    make: (made) => falsePass(made),
  },
  told("tokens", "a row's token that its text does not spell", "Tokens", {
    changes: () => ({
      tokens: { [LIAR_ROW]: tokens((own) => ({ tokens: own.tokens.with(0, own.tokens[0]! ^ 1) })) },
    }),
  }),
  told("shape", "a list of tokens without its last one", "Tokens", {
    changes: () => ({ tokens: { [LIAR_ROW]: (leaf) => leaf.subarray(0, leaf.length - 6) } }),
  }),
  told(
    "join",
    "two tokens apart that the tokenizer joins, behind the longest rules that L1 shows",
    "Tokens",
    {
      changes: ({ leaves }) => ({
        tokens: {
          [leaves.tokens.length - 1]: tokens(() => ({ tokens: APART.tokens, lengths: APART.lengths })),
        },
      }),
    },
  ),
  told("version", "a row that is not the version's", "VersionRow", {
    changes: () => ({ rows: { 2: () => new Uint8Array(32) } }),
  }),
  told("length", "a row's length", "RowLength", {
    changes: () => ({ facts: { 3: changedFact(({ length }) => ({ length: length + 1 })) } }),
  }),
  told("peak", "a row's largest size", "Peak", {
    changes: () => ({ facts: { 3: changedFact(({ residual }) => ({ residual: residual + 1n })) } }),
  }),
  told("scale", "twice the unit, so that small rows vanish", "Scale", {
    changes: ({ leaves }) => {
      const all = (tree: "columns" | "features") =>
        Object.fromEntries(leaves[tree].map((_, k) => [k, halved] as const));
      const facts = leaves.features.map((leaf, k) => {
        const entries = Array.from(halved(leaf), (byte) => (byte << 24) >> 24);
        const length = Math.floor(Math.hypot(...entries));
        return [
          k,
          changedFact(() => ({ length, residual: BigInt(Math.max(...entries.map(Math.abs))) })),
        ] as const;
      });
      return { features: all("features"), columns: all("columns"), facts: Object.fromEntries(facts) };
    },
  }),
  ...clipLies(told),
  told("factor", "a factor above its cluster's share", "Factor", {
    changes: () => ({ facts: { 3: changedFact(() => ({ factor: ONE })) } }),
  }),
  told("duplicate", "a near-duplicate that leads itself", "Duplicate", {
    changes: () => ({
      facts: { 2: changedFact(() => ({ factor: ONE })), 6: changedFact(() => ({ factor: ONE, leader: 6 })) },
    }),
  }),
  told("cell", "an entry of G that its column does not have", "Cell", {
    changes: () => ({ features: { 2: byteAt(5, more) } }),
  }),
  told("point", "an entry behind the features, in row and column", "Point", {
    changes: ({ statement: { bucketCount } }) => ({
      features: { 2: byteAt(bucketCount, more) },
      columns: { [bucketCount]: byteAt(2, more) },
    }),
  }),
  told("statics", "other files than those of the statics", "Statics", { numbers: () => ({ answering: 7n }) }),
];

/** All else of G, facts and statics are made of the false features. */
async function falsePass(made: HonestTexts): Promise<RowLie> {
  const { real, rows, traced, trained } = made;
  const { model } = traced;
  const text = traced.rowOf(rows[LIAR_ROW]!.content);
  const program = model.programs.of(text.tokens.length - 1);
  const place = placeOf({ program }, "chain");
  const own = asRow(falseTrace(model, { program, text }, chainKernels("wasm", [program]), place));
  const { featureCount } = trained.recipe.method;
  const changed = real.slice();
  changed.set(claimedNumbers(own).subarray(0, featureCount), LIAR_ROW * featureCount);
  const features = registeredFeatures(changed, featureCount, trained.recipe, {
    duplicates: () =>
      [
        ...nearestLeaders(
          rows.map(({ content }) => content),
          readTexts,
        ),
      ].flatMap((earlier, later) => (earlier === later ? [] : [{ earlier, later, similarity: 1 }])),
  });
  return lieOf(made, features, changed, own);
}

function lieOf(
  { register, rows, traced, trained }: HonestTexts,
  features: QuantisedFeatures,
  real: Float64Array,
  own: TracedQuery | null,
): RowLie {
  const model = register({ ...trained, features });
  return { model, own, posted: (modelId) => textModelCommitment(model, traced, rows, real, modelId) };
}

/** What frequent queries have in common, as long as the row is. */
async function towardsQueries({ setting, trained }: HonestTexts, row: Int8Array): Promise<number[]> {
  const answering = await textFamily(setting).open(trained);
  const sum = new Float64Array(row.length);
  const { featureCount } = trained.recipe.method;
  for (const prompt of FREQUENT) {
    const query = answering.answer(prompt).query as Int16Array;
    for (let j = 0; j < featureCount; j++) sum[j] = sum[j]! + query[j]!;
  }
  const scale = Math.min(Math.hypot(...row) / Math.hypot(...sum), 126 / Math.max(...sum.map(Math.abs)));
  return Array.from(sum, (entry) => Math.round(entry * scale));
}
