/** Options of `openledger models serve`; each stands for a setting SERVING_… of docs/reference/settings.md. */
import { EPOCH_SECONDS } from "@openledger/circuits/protocol";
import { DATA_OPTION, LISTEN_OPTIONS, THREADS_OPTION } from "../../cli/common-options.ts";
import { defineOptions, type OptionsOf } from "../../cli/options.ts";
import { SERVER_OPTIONS } from "../../cli/server-options.ts";
import { CIRCUITS_OPTION, KEYS_OPTION, PROVER_OPTION } from "../../cli/settlement-options.ts";
import { KERNELS_OPTION, WEIGHTS_OPTION } from "./language-options.ts";

export const SERVE_OPTIONS = defineOptions({
  "--model <id>": "the folder is one published model: its leaf id",
  "--base <folder>":
    "folder of a base model, to serve it over OpenAI's API; published language models must be of this base",
  "--adapters <folder>":
    "folder of the base's adapters, each in PEFT's format: answers of base and adapters are free",
  ...LISTEN_OPTIONS,
  ...DATA_OPTION,
  "--spans <path>": "gone: readers search published rows themselves",
  "--datanet-host <url>":
    "Datanet host to ask for the terms of a model's rows where its recipe has none; default: the one known on this machine",
  "--answer-ttl <seconds>": "seconds until an unpaid answer expires",
  "--scores <mode>": "how scores of estimates are computed: auto, gpu or int32",
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
  ...THREADS_OPTION,
  "--batch <n>": "with a base: concurrent requests of each thread",
  ...KERNELS_OPTION,
  ...WEIGHTS_OPTION,
});
export type ServeOptions = OptionsOf<typeof SERVE_OPTIONS>;
