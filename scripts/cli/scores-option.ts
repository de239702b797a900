/** Option --scores of the commands that compute rows' scores again: on the processor or a graphics card. */
import { SCORE_CHOICES, type ScoreChoice } from "@openledger/attribution/scores/score-engine";
import { commandError } from "./cli-errors.ts";
import { defineOptions } from "./options.ts";

export const SCORES_OPTION = defineOptions({
  "--scores <mode>": {
    about: `how scores are computed: ${SCORE_CHOICES.join(", ")}; auto picks the fastest for the model and prints which`,
    fallback: "auto",
  },
});

/** @throws CMD_USAGE */
export function requireScores(text: string): ScoreChoice {
  const choice = SCORE_CHOICES.find((name) => name === text);
  if (choice !== undefined) return choice;
  throw commandError("CMD_USAGE", `"${text}" computes no scores; there are ${SCORE_CHOICES.join(", ")}`);
}
