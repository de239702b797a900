/** What a language model's hostile owner posts of its rows: one lie each, made so that all else of the model commitment fits it. */

import type { QuantisedFeatures } from "@openledger/attribution/features/quantise";
import type { Trained } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { registeredFeatures } from "@openledger/attribution/model/registered-features";
import { falseTrace, placeOf } from "@openledger/challenger/internal/games/testing/played-games";
import {
  textModelCommitment,
  withTextTrees,
} from "@openledger/challenger/internal/games/text-model-commitment";
import { textRowLeaders } from "@openledger/challenger/internal/games/text-row-overlap";
import { readRowTokens, rowTokensLeaf } from "@openledger/challenger/internal/games/text-row-tokens";
import { asRow, type TracedQuery } from "@openledger/challenger/internal/games/traced-model";
import type { TracedTextModel } from "@openledger/challenger/internal/games/traced-text";
import type { CommittedModel } from "@openledger/challenger/internal/statements/committed-model";
import { chainKernels } from "@openledger/challenger/internal/trace/run-trace";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";

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

interface RowLie {
  readonly model: PublishedModel<TextParts>;
  /** What he posts under the model's number. */
  posted(modelId: number): CommittedModel;
  /** What he shows in a game about the row; null where he has nothing. */
  readonly own: TracedQuery | null;
}

export interface LanguageFalsehood {
  readonly name: string;
  readonly description: string;
  /** What the contract calls it. */
  readonly fault: "Entry" | "Row" | "Tokens";
  /** Whether its owner plays the game to its end; else he is silent. */
  readonly isFought: boolean;
  make(made: HonestTexts): Promise<RowLie>;
}

/** The row that lies are about. */
export const LIAR_ROW = 1;
const FREQUENT = ["The union?", "The peace?", "The treasury?"];

export const LANGUAGE_FALSEHOODS: readonly LanguageFalsehood[] = [
  {
    name: "frequent",
    description: "a row of G in the direction of frequent queries, as long as it was, beside right features",
    ...{ fault: "Entry", isFought: false },
    async make(made) {
      const { featureCount, values } = made.trained.features as QuantisedFeatures;
      const from = LIAR_ROW * featureCount;
      const changed = values.slice();
      changed.set(await towardsQueries(made, values.subarray(from, from + featureCount)), from);
      return lieOf(
        made,
        { ...(made.trained.features as QuantisedFeatures), values: changed },
        made.real,
        null,
      );
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
  {
    name: "tokens",
    description: "a row's token that its text does not spell",
    ...{ fault: "Tokens", isFought: false },
    async make(made) {
      const lie = lieOf(made, made.trained.features as QuantisedFeatures, made.real, null);
      return {
        ...lie,
        posted(modelId) {
          const { leaves, statement } = lie.posted(modelId);
          const own = readRowTokens(leaves.tokens[LIAR_ROW]!)!;
          const changed = rowTokensLeaf({ ...own, tokens: own.tokens.with(0, own.tokens[0]! ^ 1) });
          return withTextTrees(
            { ...leaves, tokens: leaves.tokens.with(LIAR_ROW, changed) },
            statement,
            `0x${Buffer.from(statement.roots.weights).toString("hex")}`,
          );
        },
      };
    },
  },
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
  changed.set(floatsOf(own).subarray(0, featureCount), LIAR_ROW * featureCount);
  const features = registeredFeatures(changed, featureCount, trained.recipe, {
    duplicates: () =>
      [...textRowLeaders(rows.map(({ content }) => content))].flatMap((earlier, later) =>
        earlier === later ? [] : [{ earlier, later, similarity: 1 }],
      ),
    odds: () => new Float64Array(rows.length).fill(1),
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

/** The claimed results of a pass. */
function floatsOf({ claimedOp, tree }: TracedQuery): Float32Array {
  const words = tree.ops[claimedOp]!;
  const bytes = Buffer.concat(Array.from({ length: words.wordCount }, (_, i) => words.node(0, i)));
  return Float32Array.from({ length: bytes.length / 4 }, (_, k) => bytes.readFloatBE(4 * k));
}
