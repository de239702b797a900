import { keccak256, toBytes } from "viem";

/** Families of models that are disputed, and their judges by their numbers. */
export const FAMILY_JUDGES = {
  direct: ["DirectTies", "DirectJudge", "RowJudge", "RowTexts"],
  text: ["TextJudge", "TextTokens", "TextOverlap", "RowJudge"],
} as const;

export type FamilyName = keyof typeof FAMILY_JUDGES;

/** What a family's first judge says of its rules: those that this software has, too. */
export const FAMILY_RULES = {
  direct: keccak256(toBytes("OpenLedger direct models of e-mails, 2")),
  text: keccak256(toBytes("OpenLedger language models, 1")),
} as const satisfies Record<FamilyName, unknown>;
