import { defineOptions } from "../../cli/options.ts";

/** Options of `disputes deploy`. */
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
