/**
 * Seed by which a language model's answer is sampled. Recipe and prompt alone decide it, so that a customer gets the same
 * answer again.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { TextRecipe } from "./text-recipe.ts";

/** Seed of the draws, by recipe and prompt alone: a server that could choose would look for a seed that suits it. */
export function drawSeedOf({ seed }: TextRecipe, prompt: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(JSON.stringify([seed, prompt]))));
}
