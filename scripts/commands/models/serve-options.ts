/** Options of `models serve`. */
import { EPOCH_SECONDS } from "@openledger/circuits/protocol";
import { DATA_OPTION, LISTEN_OPTIONS, THREADS_OPTION } from "../../cli/common-options.ts";
import { defineOptions, type OptionsOf, withFallback } from "../../cli/options.ts";
import { SCORES_OPTION } from "../../cli/scores-option.ts";
import { SERVER_OPTIONS } from "../../cli/server-options.ts";
import { CIRCUITS_OPTION, KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { KERNELS_OPTION, WEIGHTS_OPTION } from "./language-options.ts";

export const SERVE_OPTIONS = defineOptions({
  "--model <id>": "with a folder: leaf id of the model",
  ...TEXT_BASE_OPTION,
  ...LISTEN_OPTIONS,
  ...withFallback(DATA_OPTION, "answers"),
  "--spans <path>":
    "index of the version's text (datanet index), to show verbatim spans of answers; with --registered a folder of indexes",
  "--answer-ttl <seconds>": { about: "seconds until an unpaid answer expires", fallback: "600" },
  ...SCORES_OPTION,
  "--settle": "close and settle epochs automatically, once they are full or over; needs --account",
  "--epoch-length <seconds>": {
    about:
      'with --settle: seconds, by L1\'s clock, after which an epoch with payments is closed; "none": only when it is full',
    fallback: String(EPOCH_SECONDS),
  },
  "--consent-to-voids": "with --settle: burn the part of drawn payments that cannot be opened",
  ...CIRCUITS_OPTION,
  ...KEYS_OPTION,
  ...PROVER_OPTION,
  ...SERVER_OPTIONS,
  "--adapters <folder>": "without a folder: folder of the base's adapters, each in PEFT's format",
  "--registered <folder>":
    "with adapters: folder of published models to serve for receipts, named by leaf id",
  ...THREADS_OPTION,
  "--batch <n>": "with adapters: concurrent requests of each thread",
  ...KERNELS_OPTION,
  ...WEIGHTS_OPTION,
});
export type ServeOptions = OptionsOf<typeof SERVE_OPTIONS>;
