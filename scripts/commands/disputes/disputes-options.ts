import { EVERY_OPTION, MODEL_ID_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { defineOptions, type OptionsOf, required } from "../../cli/options.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

export type DeployOptions = OptionsOf<typeof DEPLOY_OPTIONS>;
export type PostOptions = OptionsOf<typeof POST_OPTIONS>;
export type AdmitOptions = OptionsOf<typeof ADMIT_OPTIONS>;
export type ClaimOptions = OptionsOf<typeof CLAIM_OPTIONS>;
export type ChallengerOptions = OptionsOf<typeof CHALLENGER_OPTIONS>;

export const DEPLOY_OPTIONS = defineOptions({
  "--window-days <days>": {
    about: "challenge window of a model commitment in days; at least 7",
    fallback: "7",
  },
  "--bond <ether>": { about: "least bond of a model commitment or claim, in ether", fallback: "0.5" },
  "--claim-window-days <days>": {
    about: "for language models: challenge window of a claim in days; at least 2",
    fallback: "3",
  },
  "--side-hours <hours>": {
    about: "for language models: hours that each player has for all moves of a game; at least 24",
    fallback: "48",
  },
  "--stake <ether>": { about: "for language models: stake of a challenger, in ether", fallback: "0.1" },
});

export const POST_OPTIONS = defineOptions({
  ...required(MODEL_ID_OPTION),
  "--bond <ether>": "bond in ether, if above the least bond",
  ...TEXT_BASE_OPTION,
});

export const ADMIT_OPTIONS = defineOptions({
  ...required(MODEL_ID_OPTION),
  "--cap <payments>": {
    about: "most payments of an epoch: the cap of the settlement circuit that its activation names",
    isRequired: true,
  },
  ...TEXT_BASE_OPTION,
});

export const CLAIM_OPTIONS = defineOptions({
  ...required(MODEL_ID_OPTION),
  "--payer <id>": { about: "whose receipt it is", isRequired: true },
  "--salt <number>": { about: "of the receipt", isRequired: true },
  "--answer <json>": "as the receipt hashes it; default: the model answers",
  ...TEXT_BASE_OPTION,
});

export const CHALLENGER_OPTIONS = defineOptions({
  "--role <roles>": { about: "watch, defend, propose, or some of them with commas", fallback: "watch" },
  "--model <folder>": "a published model, instead of where it is served",
  "--models <folder>": "published models, each in a folder named by its id",
  ...SERVER_OPTION,
  ...TEXT_BASE_OPTION,
  ...EVERY_OPTION,
  "--answers <folder>":
    "to propose: the answers that the server of --models or --model has kept (models serve --data); it must not run meanwhile",
  "--most-fees <ether>": {
    about:
      "at most, of one model commitment, for challenges of leaves that no one publishes: a fee comes back unless its leaf is shown; 0 for none",
    fallback: "0.5",
  },
});
