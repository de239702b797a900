/** How sure a reply is: one function of facts, for servers, command line, library and pages. */
import { claimantOf, DIRECT, type RecipeBase } from "./recipe-fields.ts";

interface PromisingRecipe extends RecipeBase {
  readonly isChallengeable?: boolean | undefined;
  readonly tracing?: unknown;
}

/** What a customer has computed, and has read from L1 (client/actions/answers/model-answers.ts). */
export interface CheckedReply {
  readonly isAnsweredAgain: boolean;
  /** The features were computed again from the rows. */
  readonly areRowsRecomputed: boolean;
  readonly onL1: {
    /** The rollup's gate admitted the model by a commitment that nobody has refuted. */
    readonly isCommitted: boolean;
    /** Drawn queries count on L1 only once their claims have passed. */
    readonly isClaimed: boolean;
  };
}

/** As if L1 had all that the recipe promises, to a customer who answers again: a server knows no more. */
export const AS_PROMISED: CheckedReply = {
  isAnsweredAgain: true,
  areRowsRecomputed: false,
  onL1: { isCommitted: true, isClaimed: true },
};

/**
 * How far each part of a reply is more than its server's word: by the family, by what the recipe promises (which the statics
 * bind), and by what the customer has checked. A promise alone counts for nothing: L1 must have it, too.
 */
export function assuranceOf(recipe: PromisingRecipe, checked: CheckedReply) {
  const { areRowsRecomputed, isAnsweredAgain, onL1 } = checked;
  const isCommitted = promisesCommitment(recipe) && onL1.isCommitted;
  const isClaimed = claimantOf(recipe) !== null && onL1.isClaimed;
  return {
    // A settlement of a direct model pays by no other class than the registered logit's.
    answer: recipe.family === DIRECT ? "proven" : isAnsweredAgain ? "recomputed" : "believed",
    // Every client computes the query of prompt and answer.
    query: isClaimed ? "disputable" : "recomputed",
    rows: isCommitted ? "disputable" : areRowsRecomputed ? "recomputed" : "believed",
  } as const;
}

/**
 * What holds a model's owner, contributors and payers to its rules, in a few words each: what the recipe says, which the statics bind.
 * Servers print it, and pages show it.
 */
export function defencesOf(recipe: PromisingRecipe): string {
  const { family, retrieval, rules } = recipe;
  const strength = (permille: number) => `${permille / 1_000} of a typical score`;
  const judged = "any false number of its rows refuted on L1";
  return [
    rules.base === undefined ? "no base" : `a base of ${strength(rules.base.flatPermille)} a row`,
    promisesCommitment(recipe) ? judged : "rows not judged on L1: recompute them",
    family === DIRECT ? "its answer proven in each settlement" : "its answer computed again by who asks",
    ...(claimantOf(recipe) === null ? [] : ["queries claimed and refuted on L1"]),
    ...(rules.thresholdPermille === undefined
      ? []
      : [`rows paid from ${strength(rules.thresholdPermille)} on`]),
    ...(retrieval === undefined ? [] : [`${retrieval.citationPermille / 10} % of payments to cited rows`]),
    ...(rules.normQuantile < 1 ? ["long rows clipped"] : []),
    ...(rules.nearDuplicatesShare ? ["near-duplicates share"] : []),
  ].join(", ");
}

/** A language model may promise claims of its queries, and nothing of its rows. */
function promisesCommitment({ isChallengeable, tracing }: PromisingRecipe): boolean {
  return isChallengeable === true || (tracing as { readonly rows?: boolean } | undefined)?.rows === true;
}
