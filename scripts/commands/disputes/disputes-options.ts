import { defineOptions } from "../../cli/options.ts";

/** Options of `disputes deploy`. */
export const DEPLOY_OPTIONS = defineOptions({
  "--window-days <days>": {
    about: "in which anyone may refute a model commitment; at least 3",
    fallback: "7",
  },
  "--bond <ether>": { about: "the least bond of a model commitment or claim", fallback: "0.5" },
  "--claim-window-days <days>": {
    about: "of language models: in which anyone may challenge a claim; at least 2",
    fallback: "3",
  },
  "--side-hours <hours>": {
    about: "of language models: that a player has for all moves of a game; at least 24",
    fallback: "48",
  },
  "--stake <ether>": { about: "of language models: what a challenger puts up", fallback: "0.1" },
});
