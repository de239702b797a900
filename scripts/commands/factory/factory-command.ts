/** `openledger factory`: the group of the ModelFactory's commands. Each loads its action when it runs. */
import type { Command } from "commander";
import { command, withExample } from "../../cli/run-command.ts";
import {
  COMPARE_OPTIONS,
  EXPORT_OPTIONS,
  FACTORY_OPTION,
  REGISTER_OPTIONS,
  SERVE_OPTIONS,
  TRAIN_OPTIONS,
  WORKER_OPTIONS,
} from "./factory-options.ts";

const addJobs = command({
  usage: "jobs [job] [action]",
  about:
    "list the account's jobs; of one job: watch, lineage (base, rows, people), pause, resume, stop early (keeps the model) or delete",
  options: FACTORY_OPTION,
  examples: [
    "factory jobs --account mia",
    "factory jobs job-1a2b --account mia",
    "factory jobs job-1a2b pause --account mia",
  ],
  run: async (context) => (await import("./ask-factory.ts")).jobs(context),
});

const addTrain = command({
  usage: "train",
  about: "fetch rows, estimate time and memory, and start a job; without rows, list the bases",
  options: TRAIN_OPTIONS,
  examples: [
    "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia",
    "factory train --datanet 11 --set rank=4 --set rounds=2 --account mia",
  ],
  run: async (context) => (await import("./train-job.ts")).trainJob(context),
});

const addCompare = command({
  usage: "compare <job>",
  about: "compare base and tuned model",
  options: COMPARE_OPTIONS,
  examples: ["factory compare job-1a2b --account mia"],
  run: async (context) => (await import("./ask-factory.ts")).compareModels(context),
});

const addRegister = command({
  usage: "register <job>",
  about: "create the model on the ledger, and prove, sign and send its activation",
  options: REGISTER_OPTIONS,
  examples: [
    "factory register job-1a2b --price 0.5 --account mia",
    "factory register job-1a2b --host http://127.0.0.1:8560 --account mia",
  ],
  run: async (context) => (await import("./ask-factory.ts")).register(context),
});

const addExport = command({
  usage: "export <job>",
  about: "export a job's files to a folder",
  options: EXPORT_OPTIONS,
  examples: ["factory export job-1a2b --out lora --account mia"],
  run: async (context) => (await import("./ask-factory.ts")).exportJob(context),
});

const addServe = command({
  usage: "serve",
  about: "run a factory until Ctrl-C; jobs resume at the next start",
  options: SERVE_OPTIONS,
  examples: ["factory serve", "factory serve --port 8570 --bases models/smollm2"],
  run: async (context) => (await import("./serve-factory.ts")).serveFactory(context),
});

const addWorker = command({
  usage: "worker",
  about: "train and prove a factory's jobs until Ctrl-C, on any machine that reaches its database",
  options: WORKER_OPTIONS,
  examples: ["factory worker", "factory worker --threads 8 --data .openledger/factory-worker"],
  run: async (context) => (await import("./serve-factory.ts")).workForFactory(context),
});

/** A ModelFactory: serving one, and asking one. What computes is loaded when a command runs. */
export function addFactoryCommands(program: Command): void {
  const factory = program.command("factory").description("fine-tune language models on Datanets");
  withExample(factory, "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia");
  for (const add of [addServe, addWorker, addJobs, addTrain, addCompare, addRegister, addExport])
    add(factory);
}
