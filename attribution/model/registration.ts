/**
 * Commitment to a trained model: the payees, column commitments and statics that CreateModel registers on the ledger.
 * Statics are what never changes of a model; they bind its Datanets, matrix, owners and shares. Whoever trains calls
 * `registerModel`; model-files.ts and verify-model.ts make the same statics from files.
 */
import { hashStatics, type ModelStatics, packBinding } from "@openledger/circuits/ledger/leaf";
import { cutPayees, payeeShards } from "@openledger/circuits/ledger/payee-shards";
import {
  ownersCommitment,
  type Payee,
  packSplit,
  payeeRoot,
  type RewardSplit,
} from "@openledger/circuits/ledger/rewards";
import { MAX_PAYEE_COUNT, TREASURY_PARTS } from "@openledger/circuits/protocol";
import type { ColumnCommitments } from "@openledger/circuits/settlement/feature-commitment";
import type { DirectMatrix } from "@openledger/circuits/settlement/scores/direct-matrix";
import {
  drawBits,
  misfitOf,
  type SettlementSize,
  shapeOfPayees,
} from "@openledger/circuits/settlement/settlement-size";
import { commitShards, shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { attributionError } from "../attribution-errors.ts";
import { type DirectFeatures, isDirect, type RegisteredMatrix } from "../features/direct-rows.ts";
import type { OnProgress } from "../progress.ts";
import { answeringFiles, answeringHash } from "./answering-hash.ts";
import type { ModelParts, TrainedModel } from "./model-family.ts";
import {
  boundColumns,
  circuitColumns,
  type RecipeBase,
  type RecipeVersion,
  versionsOf,
} from "./recipe-fields.ts";

/** Terms that the owner chooses when they create the model on the ledger. */
export interface RegistrationTerms {
  readonly split: RewardSplit;
  /** The model that this one replaces; 0 for none. */
  readonly predecessorId?: number;
}

/** Fields of CreateModel, and the columns behind its features commitment. */
export interface ModelRegistration {
  /** Payees in the places of their shards. */
  readonly payees: readonly Payee[];
  /** Column commitments of each shard. */
  readonly columns: readonly ColumnCommitments[];
  readonly answeringHash: bigint;
  readonly statics: ModelStatics;
  /** H[STATICS] of the statics: the Datanet approves it, and receipts name it. */
  readonly staticsHash: bigint;
}

/** Size of the settlement circuits: maximum rows and payees, exact features and draws. */
export type ModelSize = Omit<SettlementSize, "payments">;

/**
 * Commits to a trained model for a settlement circuit, or cuts it into shards for those of shards. Needs
 * `initPoseidon`; about 4 µs an entry of G.
 * @throws ATT_BEYOND_CIRCUIT, ATT_RECIPE_INVALID, CIR_SETTLEMENT_SIZE where its draws are no power of two up to 128
 */
export function registerModel<Parts extends ModelParts>(
  model: Parts & Pick<TrainedModel, "features" | "payees">,
  terms: RegistrationTerms,
  size: ModelSize,
  options: { onProgress?: OnProgress } = {},
): ModelRegistration {
  const payees = payeesFor(model, size);
  checkFits({ ...model, payees }, size);
  checkSplit(terms.split);
  const columns = commitFeatures({ ...model, payees }, options);
  const answering = answeringHash(answeringFiles(model));
  const statics = staticsOf(
    model.recipe,
    payees,
    shardedFeatures(columns, answering, circuitColumns(model.recipe)),
    {
      ...terms,
      drawBits: drawBits(size.draws),
    },
  );
  return { payees, columns, answeringHash: answering, statics, staticsHash: hashStatics(statics) };
}

/**
 * Payees in the places that circuits of this size need; those of several Datanets are in their places already.
 * @throws CIR_SETTLEMENT_SIZE
 */
export const payeesFor = (
  {
    payees,
    recipe,
  }: { readonly payees: readonly Payee[]; readonly recipe: Pick<RecipeBase, "furtherDatanets"> },
  size: ModelSize,
): readonly Payee[] =>
  size.shards === undefined || recipe.furtherDatanets !== undefined ? payees : cutPayees(payees, size);

/** Column commitments of G, or of contrasts, by each shard of its payees, with progress. Needs `initPoseidon`. */
export function commitFeatures(
  { features, payees }: { readonly features: RegisteredMatrix; readonly payees: readonly Payee[] },
  { onProgress }: { onProgress?: OnProgress } = {},
): ColumnCommitments[] {
  const { featureCount, rowCount, values } = features;
  const shards = payeeShards(payees.map((payee) => payee.rowCount));
  const total = isDirect(features) ? rowCount + shards.length : rowCount;
  const report = (done: number) => onProgress?.({ stage: "commit", done, total });
  const matrix = isDirect(features) ? directMatrix(features) : (values as Int8Array);
  return commitShards(matrix, shards, featureCount, report);
}

/** A direct model's matrix as the settlement circuits take it. */
export const directMatrix = ({
  featureCount,
  labelCount,
  rowCount,
  values,
}: DirectFeatures): DirectMatrix => ({
  rowCount,
  bucketCount: featureCount - 1,
  labelCount,
  values,
});

/** Statics of a model with these payees and this commitment. @param terms with log2 of the draws of an epoch */
export function staticsOf(
  recipe: Pick<RecipeBase, "datanet" | "furtherDatanets" | "columnCount" | "family">,
  payees: readonly Payee[],
  features: bigint,
  terms: RegistrationTerms & { readonly drawBits: number },
): ModelStatics {
  const { split, predecessorId = 0, drawBits } = terms;
  const [datanet, ...further] = versionsOf(recipe) as [RecipeVersion, ...RecipeVersion[]];
  const rowCounts = payees.map(({ rowCount }) => rowCount);
  return {
    featuresCommitment: features,
    ownersCommitment: ownersCommitment(rowCounts),
    payeeRoot: payeeRoot(payees),
    binding: packBinding({
      datanetId: BigInt(datanet.id),
      version: BigInt(datanet.version),
      rowCount: BigInt(rowCounts.reduce((sum, count) => sum + count, 0)),
      predecessorId: BigInt(predecessorId),
      drawBits: BigInt(drawBits),
      featureCount: boundColumns(recipe),
      furtherDatanets: further.map(({ id }) => id),
    }),
    split: packSplit(split),
  };
}

/** @throws ATT_BEYOND_CIRCUIT where the model has more rows or payees than the circuit, or other columns */
function checkFits(
  { features, payees, recipe }: Pick<TrainedModel, "features" | "payees" | "recipe">,
  size: ModelSize,
): void {
  const beyond = (what: string, given: number, max: number) =>
    attributionError("ATT_BEYOND_CIRCUIT", `${given} ${what}, but the circuit has ${max}`, {
      data: { what, given, max },
    });
  if (size.shards === undefined && recipe.furtherDatanets === undefined) {
    if (features.rowCount > size.rows) throw beyond("rows", features.rowCount, size.rows);
    const maxPayees = Math.min(size.payees, MAX_PAYEE_COUNT);
    if (payees.length > maxPayees) throw beyond("payees", payees.length, maxPayees);
  } else {
    const misfit = misfitOf(size, { ...size, ...shapeOfPayees(payees) });
    if (misfit !== null) {
      const { given, has, what } = misfit;
      throw beyond(what === "shards" ? what : `${what} in a shard`, given, has);
    }
  }
  if (isDirect(features) !== (size.isDirect === true))
    throw attributionError("ATT_BEYOND_CIRCUIT", "the circuit settles models of another kind", {
      data: { what: "kind", given: isDirect(features), max: size.isDirect === true },
    });
  // A direct circuit is named by its buckets; the bias is a column besides.
  const columns = features.featureCount - (isDirect(features) ? 1 : 0);
  if (columns !== size.features) throw beyond("columns", columns, size.features);
}

/** @throws ATT_RECIPE_INVALID */
function checkSplit({ ownerParts, validatorParts }: RewardSplit): void {
  const isValid =
    ownerParts >= 0n &&
    ownerParts + TREASURY_PARTS <= 0x10000n &&
    ownerParts <= 0xffffn &&
    validatorParts >= 0n &&
    validatorParts <= 0xffffn;
  if (isValid) return;
  throw attributionError(
    "ATT_RECIPE_INVALID",
    `owner ${ownerParts} and validator ${validatorParts} of 65,536 are no split beside the treasury's ${TREASURY_PARTS}`,
    { data: { ownerParts: `${ownerParts}`, validatorParts: `${validatorParts}` } },
  );
}
