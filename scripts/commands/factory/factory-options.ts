/** Options of the commands of `openledger factory`, with the types that their actions take. */
import {
  DATA_OPTION,
  DEPLOYMENT_OPTION,
  FIRST_BALANCE_OPTION,
  LISTEN_OPTIONS,
  OUT_FOLDER_OPTION,
  THREADS_OPTION,
  TOKENS_OPTION,
  VERSION_OPTION,
} from "../../cli/common-options.ts";
import { collect, defineOptions, type OptionsOf, required, withFallback } from "../../cli/options.ts";
import { ANY_HOST_OPTION, UNSIGNED_OPTION } from "../datanet/host-options.ts";

export const FACTORY_OPTION = defineOptions({
  "--factory <url>": { about: "public URL of the factory", fallback: "http://127.0.0.1:8570" },
});

export type FactoryOptions = OptionsOf<typeof FACTORY_OPTION>;

export const TRAIN_OPTIONS = defineOptions({
  ...FACTORY_OPTION,
  "--datanet <ids>": "Datanet whose version is used; or up to six with commas between",
  ...VERSION_OPTION,
  ...UNSIGNED_OPTION,
  "--host <url>": "URL of the Datanet's host",
  "--rows <file>": "gone: contribute your rows to a Datanet, which may be permissioned",
  "--base <id>": {
    about:
      "of a language model: a base from the list, or a folder or URL that the factory allows; default: own",
  },
  "--set <field=value>": {
    about: "a field of the training form; repeatable",
    fallback: [],
    parse: collect,
  },
  "--field <name...>":
    "a field of a table that counts, once for each; default: all but the labels' and those that number the rows",
  "--estimate": "print the estimate only",
});
export type TrainJobOptions = OptionsOf<typeof TRAIN_OPTIONS>;

export const COMPARE_OPTIONS = defineOptions({
  ...FACTORY_OPTION,
  "--prompt <text>": {
    about: "prompt to compare; repeatable; default: held-out rows",
    fallback: [],
    parse: collect,
  },
  ...withFallback(TOKENS_OPTION, "32"),
});
export type CompareOptions = OptionsOf<typeof COMPARE_OPTIONS>;

export const REGISTER_OPTIONS = defineOptions({
  ...FACTORY_OPTION,
  "--price <open>": { about: "price of one answer in OPEN: the least payment", fallback: "0.5" },
  ...FIRST_BALANCE_OPTION,
  ...ANY_HOST_OPTION,
});
export type RegisterJobOptions = OptionsOf<typeof REGISTER_OPTIONS>;

export const EXPORT_OPTIONS = defineOptions({
  ...FACTORY_OPTION,
  "--form <form>": { about: "what to export: adapter, merged, classifier or model", fallback: "adapter" },
  ...required(OUT_FOLDER_OPTION),
});
export type ExportOptions = OptionsOf<typeof EXPORT_OPTIONS>;

/** Each is a variable FACTORY_… of docs/reference/settings.md, which it overrules. */
export const WORKER_OPTIONS = defineOptions({ ...DATA_OPTION, ...THREADS_OPTION, ...DEPLOYMENT_OPTION });
export type FactoryWorkerOptions = OptionsOf<typeof WORKER_OPTIONS>;

export const SERVE_OPTIONS = defineOptions({
  ...WORKER_OPTIONS,
  ...LISTEN_OPTIONS,
  "--datanet-hosts <urls>": "Datanet hosts to download rows from, comma-separated",
  "--bases <places>": "folders and URLs of base models, comma-separated",
  "--accounts <leaves>": "leaf ids that may train, comma-separated, or any",
});
export type ServeFactoryOptions = OptionsOf<typeof SERVE_OPTIONS>;
