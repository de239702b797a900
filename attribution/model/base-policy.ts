/**
 * Strength of the base (the part of a row's reward that does not depend on its influence), as the Datanet's card sets
 * it. The card is a JSON text; its hash is the `policy` word of the Datanet's leaf, so the text with this hash is the
 * policy. This file reads only the fields for rewards; datanets/card/card.ts has all of a card. Verification compares
 * a recipe with it, training and drafts of cards take their defaults from it.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { z } from "zod";
import type { BaseRule } from "../features/base-column.ts";
import type { RowKind } from "../rows/row-kinds.ts";
import { clipQuantileOf } from "../rows/row-rules.ts";

/**
 * Default rewards of a new card, by the kind of its rows. For texts they hold attacks that `npm run bench --
 * attribution` measures near the earnings of honest rows. Language models have their own rules.
 */
export const usualRewards = (rowKind: RowKind) => ({
  clipQuantilePermille: 1_000 * clipQuantileOf(rowKind),
  basePermille: rowKind === "text" ? 400 : rowKind === "image" ? 250 : 0,
});

const rewardsSchema = z.object({
  rewards: z.object({
    basePermille: z.number().int().min(0).max(1_000),
    citationPermille: z.number().int().min(0).max(1_000).optional(),
  }),
});

/** The `policy` word that a card's text has. */
export function policyOf(card: string): bigint {
  return digestToField(sha256(new TextEncoder().encode(card)));
}

/** Base in a card's text, and the part of payments that goes by citation; null where there is none, or no card. */
export function rewardsOfCard(card: string): { base: BaseRule | null; citationPermille: number | null } {
  let json: unknown;
  try {
    json = JSON.parse(card);
  } catch {
    return { base: null, citationPermille: null };
  }
  const { basePermille = 0, citationPermille = null } = rewardsSchema.safeParse(json).data?.rewards ?? {};
  return { base: basePermille === 0 ? null : { flatPermille: basePermille }, citationPermille };
}
