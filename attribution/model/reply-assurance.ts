/** How sure a reply is: one function of facts, for servers, command line, library and pages. */
import { DIRECT, type RecipeBase } from "./recipe-fields.ts";

/** What a customer has computed (client/actions/answers/model-answers.ts). */
export interface CheckedReply {
  readonly isAnsweredAgain: boolean;
  /** The features were computed again from the rows. */
  readonly areRowsRecomputed: boolean;
}

/** Checks of a customer who answers again: a server knows no more. */
export const ANSWERED_AGAIN: CheckedReply = { isAnsweredAgain: true, areRowsRecomputed: false };

/** How far each part of a reply is more than its server's word: by the family, and by what the customer has checked. */
export function assuranceOf({ family }: Pick<RecipeBase, "family">, checked: CheckedReply) {
  const { areRowsRecomputed, isAnsweredAgain } = checked;
  return {
    // A settlement of a direct model pays by no other class than the registered logit's.
    answer: family === DIRECT ? "proven" : isAnsweredAgain ? "recomputed" : "believed",
    // Every client computes the query of prompt and answer.
    query: "recomputed",
    rows: areRowsRecomputed ? "recomputed" : "believed",
  } as const;
}

/**
 * Rules that hold a model's owner, contributors and payers, in a few words each, from the recipe, which the statics bind.
 * Servers print it, and pages show it.
 */
export function defencesOf({ family, retrieval, rules }: RecipeBase): string {
  const strength = (permille: number) => `${permille / 1_000} of a typical score`;
  return [
    rules.base === undefined ? "no base" : `a base of ${strength(rules.base.flatPermille)} a row`,
    family === DIRECT ? "its answer proven in each settlement" : "its answer computed again by who asks",
    ...(rules.thresholdPermille === undefined
      ? []
      : [`rows paid from ${strength(rules.thresholdPermille)} on`]),
    ...(retrieval === undefined ? [] : [`${retrieval.citationPermille / 10} % of payments to cited rows`]),
    ...(rules.normQuantile < 1 ? ["long rows clipped"] : []),
    ...(rules.nearDuplicatesShare ? ["near-duplicates share"] : []),
  ].join(", ");
}
