/**
 * Who sets the base's strength: the Datanet's card. Its hash is the `policy` word of the Datanet's leaf, so the text that
 * has this hash is the policy. This file reads of it only what rewards need; datanets/card/card.ts has all of a card.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { z } from "zod";
import type { BaseRule } from "../features/base-column.ts";
import { clipQuantileOf } from "../rows/row-rules.ts";

/**
 * What a new card sets where its owner says nothing else, by what its rows are. Of e-mails: what keeps attacks measured by
 * `npm run bench -- attribution` near what honest rows earn. Language models have their own rules.
 */
export const usualRewards = (rowKind: string) => ({
  clipQuantilePermille: 1_000 * clipQuantileOf(rowKind),
  basePermille: rowKind === "email" ? 400 : rowKind === "digit" ? 250 : 0,
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

/** What a card's text says of the base, and of the part of payments that go by citation; null for none, and for no card. */
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
