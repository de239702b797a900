/** Judges of model commitments of language models, in the order of their numbers. */
export const TEXT_JUDGES = ["TextJudge", "TextTokens", "TextOverlap"] as const;
