/**
 * Rules of a Datanet's card about rewards, which recipes repeat: the base (the part of a row's reward that does not
 * depend on its influence), citations, near-duplicates and the limit of a row's length. The card is a JSON text; its hash
 * is the `policy` word of the Datanet's leaf, so the text with this hash is the policy. This file reads only the fields for rewards; datanets/card/card.ts has all of a card. Verification compares
 * a recipe with it, training and drafts of cards take their defaults from it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { z } from "zod";
import type { BaseRule } from "../features/base-column.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import { clipQuantileOf, hasManyLabels } from "../rows/row-rules.ts";

/** Texts of fewer labels are paid more of a base: their rows' lengths are limited less (clipQuantileOf). */
const basePermilleOf = (rowKind: RowKind, labelCount: number): number =>
  ({ text: hasManyLabels(labelCount) ? 400 : 1_000, passage: 600, image: 400, table: 1_000 })[rowKind];

/**
 * Default rewards of a new card, by the kind of its rows and the number of its labels. They hold attacks that `npm run bench --
 * attribution` measures near the earnings of honest rows.
 */
export const usualRewards = (rowKind: RowKind, labelCount = 0) => ({
  clipQuantilePermille: 1_000 * clipQuantileOf(rowKind, labelCount),
  basePermille: basePermilleOf(rowKind, labelCount),
});

const permille = z.number().int().min(0).max(1_000);
const rewardsSchema = z.object({
  rewards: z.object({
    basePermille: permille,
    citationPermille: permille.optional(),
    nearDuplicates: z.enum(["leave-out", "share", "keep"]).optional(),
    clipQuantilePermille: permille.optional(),
  }),
});

/** Rules of a card that a model's recipe repeats; null where the card says nothing. */
export interface CardRules {
  readonly base: BaseRule | null;
  /** Part of a citing model's payments that goes by citation. */
  readonly citationPermille: number | null;
  /** True: near-duplicates share one reward. */
  readonly nearDuplicatesShare: boolean | null;
  readonly normQuantile: number | null;
}

/** The `policy` word that a card's text has. */
export function policyOf(card: string): bigint {
  return digestToField(sha256(new TextEncoder().encode(card)));
}

/** Rules in a card's text; all are null for a text that is no card. */
export function rewardsOfCard(card: string): CardRules {
  const rewards = rewardsIn(card);
  if (rewards === undefined)
    return { base: null, citationPermille: null, nearDuplicatesShare: null, normQuantile: null };
  const { basePermille, citationPermille = null, clipQuantilePermille = 0, nearDuplicates } = rewards;
  return {
    base: basePermille === 0 ? null : { flatPermille: basePermille },
    citationPermille,
    nearDuplicatesShare: nearDuplicates === undefined ? null : nearDuplicates === "share",
    normQuantile: clipQuantilePermille === 0 ? null : clipQuantilePermille / 1_000,
  };
}

function rewardsIn(card: string) {
  try {
    return rewardsSchema.safeParse(JSON.parse(card)).data?.rewards;
  } catch {
    return undefined;
  }
}
