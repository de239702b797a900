import { defineOptions } from "../../cli/options.ts";

/** Options of `disputes deploy`. */
export const DEPLOY_OPTIONS = defineOptions({
  "--kind <kind>": {
    about: "of the models: direct, or text, whose queries and rows are played for in games",
    choices: ["direct", "text"],
    fallback: "direct",
  },
  "--beside <addresses...>": "contracts of other kinds: a gate is put before them and the new ones",
  "--window-days <days>": {
    about: "in which anyone may refute a model commitment; at least 3",
    fallback: "7",
  },
  "--bond <ether>": { about: "the least bond of a model commitment or claim", fallback: "0.5" },
  "--claim-window-days <days>": { about: "of text: in which anyone may challenge a claim", fallback: "3" },
  "--side-hours <hours>": { about: "of text: that a player has for all moves of a game", fallback: "48" },
  "--stake <ether>": { about: "of text: what a challenger puts up", fallback: "0.1" },
});
