/**
 * Who sets the base's strength: the Datanet's card. Its hash is the `policy` word of the Datanet's leaf, so the text that
 * has this hash is the policy. This file reads of it only what rewards need; datanets/card/card.ts has all of a card.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { digestToField } from "@openledger/circuits/ledger/version-rows";
import { z } from "zod";
import type { BaseRule } from "../features/base-column.ts";

const rewardsSchema = z.object({
  rewards: z.object({
    basePermille: z.number().int().min(0).max(1_000),
  }),
});

/** The `policy` word that a card's text has. */
export function policyOf(card: string): bigint {
  return digestToField(sha256(new TextEncoder().encode(card)));
}

/** What a card's text says of the base; null for none, and for a text that is no card. */
export function baseOfCard(card: string): BaseRule | null {
  let json: unknown;
  try {
    json = JSON.parse(card);
  } catch {
    return null;
  }
  const parsed = rewardsSchema.safeParse(json);
  if (!parsed.success) return null;
  const { basePermille } = parsed.data.rewards;
  return basePermille === 0 ? null : { flatPermille: basePermille };
}
