import type { Command } from "commander";
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
import { collect, defineOptions, required, withFallback, withOptions } from "../../cli/options.ts";
import { command, onRun, withExample } from "../../cli/run-command.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";

const FACTORY_OPTION = defineOptions({
  "--factory <url>": { about: "public URL of the factory", fallback: "http://127.0.0.1:8570" },
});

/** A ModelFactory: serving one, and asking one. What computes is loaded when a command runs. */
export function addFactoryCommands(program: Command): void {
  const factory = program.command("factory").description("fine-tune language models on Datanets");
  withExample(factory, "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia");
  addServe(factory);

  const ask = (name: string, description: string, ...examples: string[]) =>
    withOptions(withExample(factory.command(name).description(description), ...examples), {
      ...FACTORY_OPTION,
    });

  onRun(
    ask(
      "jobs [job] [action]",
      "list the account's jobs; of one job: watch, lineage (base, rows, people), pause, resume, stop early (keeps the model) or delete",
      "factory jobs --account mia",
      "factory jobs job-1a2b --account mia",
      "factory jobs job-1a2b pause --account mia",
    ),
    async (context) => (await import("./ask-factory.ts")).jobs(context),
  );
  const train = withOptions(
    ask(
      "train",
      "download rows, estimate time and memory, and start a job; without rows, list the bases",
      "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia",
      "factory train --rows mine.jsonl --set rank=4 --set rounds=2 --account mia",
    ),
    {
      "--datanet <id>": "Datanet whose version is used",
      ...VERSION_OPTION,
      "--host <url>": "URL of the Datanet's host",
      "--rows <file>": "file with rows of your own for a trial: one JSON line each",
      "--base <id>": {
        about: "a base from the list, or a folder or URL that the factory allows",
        fallback: "own",
      },
      "--set <field=value>": {
        about: "a field of the training form; repeatable",
        fallback: [],
        parse: collect,
      },
      "--estimate": "print the estimate only",
    },
  );
  onRun(train, async (context) => (await import("./train-job.ts")).trainJob(context));
  const compare = withOptions(
    ask("compare <job>", "compare base and tuned model", "factory compare job-1a2b --account mia"),
    {
      "--prompt <text>": {
        about: "prompt to compare; repeatable; default: held-out rows",
        fallback: [],
        parse: collect,
      },
      ...withFallback(TOKENS_OPTION, "32"),
    },
  );
  onRun(compare, async (context) => (await import("./ask-factory.ts")).compareJob(context));
  const register = withOptions(
    ask(
      "register <job>",
      "create the model on the ledger, and prove, sign and send its activation",
      "factory register job-1a2b --price 0.5 --account mia",
      "factory register job-1a2b --host http://127.0.0.1:8560 --account mia",
    ),
    {
      "--price <open>": { about: "price of one answer in OPEN: the least payment", fallback: "0.5" },
      ...FIRST_BALANCE_OPTION,
      ...ANY_HOST_OPTION,
    },
  );
  onRun(register, async (context) => (await import("./ask-factory.ts")).register(context));
  const exporting = withOptions(
    ask(
      "export <job>",
      "export a job's files to a folder",
      "factory export job-1a2b --out lora --account mia",
    ),
    {
      "--form <form>": { about: "what to export: adapter, merged or model", fallback: "adapter" },
      ...required(OUT_FOLDER_OPTION),
    },
  );
  onRun(exporting, async (context) => (await import("./ask-factory.ts")).exportJob(context));
}

const addServe = command({
  usage: "serve",
  about: "run a factory until Ctrl-C; jobs resume at the next start",
  options: {
    ...DATA_OPTION,
    ...LISTEN_OPTIONS,
    "--datanet-hosts <urls>": "Datanet hosts to download rows from, comma-separated",
    "--bases <places>": "folders and URLs of base models, comma-separated",
    "--accounts <leaves>": "leaf ids that may train, comma-separated, or any",
    ...THREADS_OPTION,
    ...DEPLOYMENT_OPTION,
  },
  examples: ["factory serve", "factory serve --port 8570 --bases models/smollm2"],
  run: async (context) => (await import("./serve-factory.ts")).serveFactory(context),
});
