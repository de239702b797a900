import { SCORE_CHOICES, type ScoreChoice } from "@openledger/attribution/scores/score-engine";
import { commandError } from "./cli-errors.ts";

export const SCORES_OPTION = [
  "--scores <mode>",
  `what computes scores: ${SCORE_CHOICES.join(", ")}; auto takes what is fastest for the model, and says which`,
  "auto",
] as const;

/** @throws CMD_USAGE */
export function requireScores(text: string): ScoreChoice {
  const choice = SCORE_CHOICES.find((name) => name === text);
  if (choice !== undefined) return choice;
  throw commandError("CMD_USAGE", `"${text}" computes no scores; there are ${SCORE_CHOICES.join(", ")}`);
}
