import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { hashTagged } from "@openledger/circuits/field/poseidon";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { FIELD_ORDER, TAG } from "@openledger/circuits/protocol";
import {
  type ColumnCommitments,
  columnsCommitment,
} from "@openledger/circuits/settlement/feature-commitment";
import type { BaseRule } from "../features/base-column.ts";
import { termBucketCount } from "../features/direct-base.ts";
import { toFixed40 } from "../maths/fixed-point.ts";
import type { DirectRecipe } from "./direct/direct-recipe.ts";
import type { AnsweringFiles, ModelParts } from "./model-family.ts";
import type { RecipeBase } from "./recipe-fields.ts";

/** Files of these parts. */
export function answeringFiles(parts: ModelParts): AnsweringFiles {
  return { recipe: jsonBytes(parts.recipe), ...parts.family.encode(parts) };
}

/**
 * What the model's statics bind of its files (docs/reference/settlement.md): nobody can be served other parameters or another map
 * under the same statics. A model whose recipe says so is marked by a hash over it: as challengeable, with its rules
 * (docs/explanation/disputes.md), or as traced, with the digest of its roots (docs/explanation/fault-proofs.md). No SHA-256 that L1 could be shown is
 * such a hash. Needs `initPoseidon` for such a model.
 */
export function answeringHash(files: AnsweringFiles): bigint {
  const raw = rawAnsweringHash(files);
  const { tracing } = parsedRecipe(files.recipe);
  if (tracing !== undefined) return tracedAnsweringHash(raw, BigInt(tracing.digest));
  const rules = challengedRules(files.recipe);
  return rules === null ? raw : hashTagged(TAG.challenged, [raw, packRules(rules)]);
}

/** Of a traced model. @param digest 256 bits */
export const tracedAnsweringHash = (filesHash: bigint, digest: bigint): bigint =>
  hashTagged(TAG.traced, [filesHash, digest % FIELD_ORDER]);

/** SHA-256 over the SHA-256 of each of the three files, mod r. */
export const rawAnsweringHash = (files: AnsweringFiles): bigint =>
  digestToField(sha256(answeringPreimage(files)));

function answeringPreimage({ recipe, parameters, queryMap }: AnsweringFiles): Uint8Array {
  return concatBytes(...[recipe, parameters, queryMap].map((file) => sha256(file)));
}

/** What L1 is shown of a model without challenges: `admitUnchallengedCall` of the client. Needs `initPoseidon`. */
export const unchallengedModel = (
  model: ModelParts & { readonly columns: readonly ColumnCommitments[] },
) => ({
  columnsCommitments: model.columns.map(columnsCommitment),
  answeringPreimage: `0x${bytesToHex(answeringPreimage(answeringFiles(model)))}` as const,
});

/** What the statics of a model with challenges say of how it was made. λ in units of 2^-40. */
export interface ChallengedRules {
  readonly bucketCount: number;
  /** λ of the training. */
  readonly decay: bigint;
  readonly sharesDuplicates: boolean;
  /** Of the rows' lengths, which the clip's is; 2^40 for no limit. */
  readonly clipQuantile: bigint;
  /** λ of the inverse, and the base's strength in thousandths: 63 bits and 10. */
  readonly damping: bigint;
}

/** λ with the base's strength above it, as L1 takes the two. */
const dampingAndBase = (damping: bigint, base: BaseRule | undefined): bigint =>
  withBits(damping, 63n) | (BigInt(base?.flatPermille ?? 0) << 63n);

/** @throws RangeError for more bits, which a recipe's bounds do not allow */
function withBits(value: bigint, bits: bigint): bigint {
  if (value >> bits === 0n) return value;
  throw new RangeError(`${value} has more than ${bits} bits`);
}

/** bucketCount 16 | decay 64 << 16 | sharesDuplicates << 80 | clipQuantile 64 << 81 | damping 63 << 145 | base 10 << 208. */
export function packRules(rules: ChallengedRules): bigint {
  const { bucketCount, clipQuantile, damping, decay, sharesDuplicates } = rules;
  const small =
    withBits(BigInt(bucketCount), 16n) | (withBits(decay, 64n) << 16n) | (BigInt(sharesDuplicates) << 80n);
  return small | (withBits(clipQuantile, 64n) << 81n) | (withBits(damping, 73n) << 145n);
}

/** null where the model has no challenges. */
export function challengedRules(recipe: Uint8Array): ChallengedRules | null {
  const { inputs, isChallengeable, method, model, rules } = parsedRecipe(recipe);
  if (isChallengeable !== true) return null;
  return {
    bucketCount: termBucketCount({ inputs, rules }),
    decay: toFixed40(model.decay),
    sharesDuplicates: rules.nearDuplicatesShare,
    clipQuantile: toFixed40(rules.normQuantile),
    damping: dampingAndBase(toFixed40(method.damping), rules.base),
  };
}

const parsedRecipe = (recipe: Uint8Array) =>
  JSON.parse(new TextDecoder().decode(recipe)) as DirectRecipe &
    RecipeBase & { readonly tracing?: { readonly digest: string } };

export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);
}
