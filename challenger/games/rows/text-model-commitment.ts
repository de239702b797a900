/**
 * What the owner of a language model posts of its rows (docs/explanation/fault-proofs.md): the trees of any model commitment, of which the map's
 * holds the rows' real features, and the tokens' what the tokenizer makes of their texts.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { toFixed40 } from "@openledger/attribution/maths/fixed-point";
import { answeringFiles, rawAnsweringHash } from "@openledger/attribution/model/answering-hash";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { modelError } from "@openledger/models/model-errors";
import type { TextParts } from "@openledger/models/registered/text-family";
import { promisesRows } from "@openledger/models/registered/text-recipe";
import type { Hex } from "viem";
import {
  type CommittedModel,
  columnOfG,
  type DisputeStatement,
  factBytes,
  type Leaves,
  pointLeaves,
  rowOfG,
  withTrees,
} from "../../statements/committed-model.ts";
import { doubleBits } from "../../statements/leaf-bytes.ts";
import { lengthOf } from "../../statements/row-arithmetic.ts";
import { clusterLeaders, rowFactors, rowLengths } from "../../statements/row-factors.ts";
import { wordsOf } from "../../trace/word-tree.ts";
import type { TracedTextModel } from "../claims/traced-text.ts";
import { readTexts, rowTokensLeaf } from "./text-row-tokens.ts";

/** What of a registered language model is posted. */
type TextSource = Pick<
  PublishedModel<TextParts>,
  "family" | "recipe" | "adapter" | "queryMap" | "features" | "columns" | "statics" | "staticsHash"
>;

/**
 * What an honest owner posts. The same model gives the same bytes on every machine. Needs `initPoseidon`.
 *
 * @param traced the same model, opened @param rows of the version, in its order @param real `realFeatures` of them
 * @throws MOD_ROWS_NOT_POSTABLE where the recipe does not promise it; ATT_ROW_INVALID
 */
export function textModelCommitment(
  source: TextSource,
  traced: Pick<TracedTextModel, "rowOf">,
  rows: readonly Pick<OwnedRow, "content">[],
  real: Float64Array,
  modelId: number,
): CommittedModel {
  const { columns, features, recipe, statics, staticsHash } = source;
  if (!promisesRows(recipe))
    throw modelError("MOD_ROWS_NOT_POSTABLE", "the recipe does not promise that its rows are posted", {
      data: { reason: "promise" },
    });
  const { featureCount } = recipe.method;
  const contents = rows.map(({ content }) => content);
  const leaders = clusterLeaders(contents, recipe.rules, readTexts);
  const rules = rowFactors(rowLengths(real, featureCount), leaders, recipe.rules, features.scale);
  const facts = rows.map((_, k) => {
    const entries = rowOfG(features, k);
    const largest = entries.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
    return factBytes({ ...rules.rows[k]!, residual: BigInt(largest), pull: 0n, length: lengthOf(entries) });
  });
  const leaves: Leaves = {
    rows: contents.map((content) => sha256(content)),
    tokens: contents.map((content) => rowTokensLeaf(traced.rowOf(content))),
    facts,
    features: rows.map((_, k) => new Uint8Array(rowOfG(features, k).slice().buffer)),
    map: rows.map((_, k) => featureLeaf(real, featureCount, k)),
    inputs: [],
    weights: [],
    columns: Array.from({ length: features.featureCount }, (_, j) => columnOfG(features, j)),
    points: pointLeaves(columns[0]!),
  };
  const { binding, payeeRoot, ownersCommitment, split } = statics;
  return withTextTrees(
    leaves,
    {
      ...{ modelId, staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) },
      answering: rawAnsweringHash(answeringFiles(source as never)),
      ...{ ownersCommitment, payeeRoot, binding, split },
      ...{ rowCount: rows.length, bucketCount: featureCount, columnCount: features.featureCount },
      decay: doubleBits(features.scale),
      clipLength: rules.clipLength,
      clipQuantile: toFixed40(recipe.rules.normQuantile),
      sharesDuplicates: recipe.rules.nearDuplicatesShare,
    },
    recipe.tracing!.digest as Hex,
  );
}

/** Real features of a row as their trace ends with them: four bytes each. @param real rows × featureCount */
export function featureLeaf(real: Float64Array, featureCount: number, row: number): Uint8Array {
  return wordsOf(Float32Array.from(real.subarray(row * featureCount, (row + 1) * featureCount)));
}

/** The model commitment of these leaves, right or wrong. @param tracing digest of what the statics bind of the trace */
export function withTextTrees(
  leaves: Leaves,
  numbers: Omit<DisputeStatement, "roots">,
  tracing: Hex,
): CommittedModel {
  const given = { inputs: new Uint8Array(32), weights: hexToBytes(tracing.slice(2)) };
  return withTrees({ ...leaves, inputs: [], weights: [] }, numbers, given);
}
