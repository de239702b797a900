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
import { defineOptions, required, withFallback, withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { ANY_HOST_OPTION } from "../datanet/host-options.ts";

const FACTORY_OPTION = defineOptions({
  "--factory <url>": { about: "the factory, as it names itself", fallback: "http://127.0.0.1:8570" },
});

/** A ModelFactory: serving one, and asking one. What computes is loaded when a command runs. */
export function addFactoryCommands(program: Command): void {
  const factory = program.command("factory").description("language models of Datanets, made in a factory");
  withExample(factory, "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia");
  addServe(factory);

  const ask = (name: string, description: string, ...examples: string[]) =>
    withOptions(withExample(factory.command(name).description(description), ...examples), {
      ...FACTORY_OPTION,
    });

  onRun(ask("bases", "base models that jobs may use", "factory bases"), async (context) =>
    (await import("./ask-factory.ts")).showBases(context),
  );
  onRun(
    ask(
      "jobs [job] [action]",
      "the account's jobs; of one job, losses, speed and samples until it ends (watch), base, rows and people (lineage), or pause, resume, stop early (what it has learned becomes the model), delete",
      "factory jobs --account mia",
      "factory jobs job-1a2b --account mia",
      "factory jobs job-1a2b pause --account mia",
    ),
    async (context) => (await import("./ask-factory.ts")).jobs(context),
  );
  const train = withOptions(
    ask(
      "train",
      "fetch rows, say what it will take, and begin a job",
      "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia",
      "factory train --rows mine.jsonl --set rank=4 --set rounds=2 --account mia",
    ),
    {
      "--datanet <id>": "whose version",
      ...VERSION_OPTION,
      "--host <url>": "the Datanet's host",
      "--rows <file>": "rows of your own, to try: a JSON line each",
      "--base <id>": {
        about: "a base of `factory bases`, or a folder or address that the factory allows",
        fallback: "own",
      },
      "--set <field=value>": { about: "a field of the form; may be repeated", fallback: [], parse: collect },
      "--estimate": "only say what it would take",
    },
  );
  onRun(train, async (context) => (await import("./train-job.ts")).trainJob(context));
  const compare = withOptions(
    ask("compare <job>", "base and tuned model side by side", "factory compare job-1a2b --account mia"),
    {
      "--prompt <text>": {
        about: "a prompt of your own; default: rows that were held out",
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
      "create the model on the ledger, have its activation proven, sign and send it",
      "factory register job-1a2b --price 0.5 --account mia",
      "factory register job-1a2b --host http://127.0.0.1:8560 --account mia",
    ),
    {
      "--price <open>": { about: "least payment for one answer", fallback: "0.5" },
      ...FIRST_BALANCE_OPTION,
      ...ANY_HOST_OPTION,
    },
  );
  onRun(register, async (context) => (await import("./ask-factory.ts")).register(context));
  const exporting = withOptions(
    ask(
      "export <job>",
      "write a job's files to a folder",
      "factory export job-1a2b --out lora --account mia",
    ),
    {
      "--form <form>": { about: "adapter, merged or model", fallback: "adapter" },
      ...required(OUT_FOLDER_OPTION),
    },
  );
  onRun(exporting, async (context) => (await import("./ask-factory.ts")).exportJob(context));
}

function addServe(factory: Command): void {
  const command = withOptions(
    factory.command("serve").description("run a factory until Ctrl-C; jobs go on at the next start"),
    {
      ...DATA_OPTION,
      ...LISTEN_OPTIONS,
      "--datanet-hosts <urls>": "Datanet hosts that rows are fetched from, with commas between",
      "--bases <places>": "folders and addresses of base models, with commas between",
      "--accounts <leaves>": "who may train: leaves with commas between, or any",
      ...THREADS_OPTION,
      ...DEPLOYMENT_OPTION,
    },
  );
  withExample(command, "factory serve", "factory serve --port 8570 --bases models/smollm2");
  onRun(command, async (context) => (await import("./serve-factory.ts")).serveFactory(context));
}

const collect = (value: string, before: string[]): string[] => [...before, value];
