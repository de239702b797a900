/**
 * Says how far each part of a model's reply is assured beyond its server's word: believed, recomputed by the customer, or
 * proven. Servers, command line, library and pages all show what this function returns.
 */
import { DIRECT, type RecipeBase } from "./recipe-fields.ts";

/** Checks that a customer has computed (client/actions/answers/model-answers.ts). */
export interface CheckedReply {
  readonly isAnsweredAgain: boolean;
  /** Whom the answer pays was computed from the registered matrix. */
  readonly areRowsRecomputed: boolean;
}

/** Checks of a customer who answers again: a server knows no more. */
export const ANSWERED_AGAIN: CheckedReply = { isAnsweredAgain: true, areRowsRecomputed: false };

/** Assurance of each part of a reply, beyond its server's word: by the family, and by the customer's checks. */
export function assuranceOf(recipe: Pick<RecipeBase, "classes" | "family">, checked: CheckedReply) {
  const { areRowsRecomputed, isAnsweredAgain } = checked;
  return {
    answer: isAnswerProven(recipe) ? "proven" : isAnsweredAgain ? "recomputed" : "believed",
    // Every client computes the query of prompt and answer.
    query: "recomputed",
    rows: areRowsRecomputed ? "recomputed" : "believed",
  } as const;
}

/**
 * A settlement pays by no other of two labels than the registered logit's. Of more it proves that the label is not behind
 * its runner-up, and not that no third one is before both.
 */
const isAnswerProven = ({ classes = [], family }: Pick<RecipeBase, "classes" | "family">): boolean =>
  family === DIRECT && classes.length <= 2;

/**
 * Rules that bind a model's owner, contributors and payers, in a few words each, from the recipe, which the statics
 * bind. Servers print it, and pages show it.
 */
export function defencesOf({ classes, family, retrieval, rules }: RecipeBase): string {
  const strength = (permille: number) => `${permille / 1_000} of a typical score`;
  return [
    rules.base === undefined ? "no base" : `a base of ${strength(rules.base.flatPermille)} a row`,
    isAnswerProven({ classes, family })
      ? "its answer proven in each settlement"
      : "its answer computed again by who asks",
    ...(family === DIRECT && !isAnswerProven({ classes, family })
      ? ["that its label is not behind the runner-up proven in each settlement"]
      : []),
    ...(rules.thresholdPermille === undefined
      ? []
      : [`rows paid from ${strength(rules.thresholdPermille)} on`]),
    ...(retrieval === undefined ? [] : [`${retrieval.citationPermille / 10} % of payments to cited rows`]),
    ...(rules.normQuantile < 1 ? ["long rows clipped"] : []),
    ...(rules.nearDuplicatesShare ? ["near-duplicates share"] : []),
  ].join(", ");
}
