/** Options of `models serve`. */
import { EPOCH_SECONDS } from "@openledger/circuits/protocol";
import { CLAIM_OPTION, DATA_OPTION, LISTEN_OPTIONS, THREADS_OPTION } from "../../cli/common-options.ts";
import { defineOptions, type OptionsOf, withFallback } from "../../cli/options.ts";
import { SCORES_OPTION } from "../../cli/scores-option.ts";
import { SERVER_OPTIONS } from "../../cli/server-options.ts";
import { CIRCUITS_OPTION, KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { KERNELS_OPTION } from "./language-options.ts";

export const SERVE_OPTIONS = defineOptions({
  "--model <id>": "of a folder: the model's leaf",
  ...TEXT_BASE_OPTION,
  ...LISTEN_OPTIONS,
  ...withFallback(DATA_OPTION, "answers"),
  "--spans <path>":
    "an index of the version's text (datanet index), which shows an answer's verbatim spans; with --registered a folder of them",
  "--answer-ttl <seconds>": { about: "how long an answer may stay unpaid", fallback: "600" },
  ...SCORES_OPTION,
  "--settle": "close an epoch that is full or over, and settle it, by itself; needs --account",
  ...CLAIM_OPTION,
  "--epoch-length <seconds>": {
    about:
      'with --settle: close an epoch with payments after this time, by L1\'s clock; "none": only when it is full',
    fallback: String(EPOCH_SECONDS),
  },
  "--consent-to-voids": "with --settle: burn the part of drawn payments that cannot be opened",
  ...CIRCUITS_OPTION,
  ...KEYS_OPTION,
  ...PROVER_OPTION,
  ...SERVER_OPTIONS,
  "--adapters <folder>": "without a folder: adapters of the base, each a folder as PEFT writes it",
  "--registered <folder>":
    "with adapters: answer for receipts of published models, each folder named by its leaf",
  ...THREADS_OPTION,
  "--batch <n>": "with adapters: requests at once of each thread",
  ...KERNELS_OPTION,
});
export type ServeOptions = OptionsOf<typeof SERVE_OPTIONS>;
