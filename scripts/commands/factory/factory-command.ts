import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import type {
  CompareOptions,
  ExportOptions,
  FactoryOptions,
  RegisterJobOptions,
  ServeFactoryOptions,
  TrainJobOptions,
} from "./factory-options.ts";

const FACTORY_OPTION = [
  "--factory <url>",
  "the factory, as it names itself",
  "http://127.0.0.1:8570",
] as const;

/** A ModelFactory: serving one, and asking one. What computes is loaded when a command runs. */
export function addFactoryCommands(program: Command): void {
  const factory = program.command("factory").description("language models of Datanets, made in a factory");
  withExample(factory, "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia");
  addServe(factory);

  const ask = (name: string, description: string, ...examples: string[]) =>
    withExample(factory.command(name).description(description), ...examples).option(...FACTORY_OPTION);

  onRun<FactoryOptions>(ask("bases", "base models that jobs may use", "factory bases"), async (context) =>
    (await import("./ask-factory.ts")).showBases(context),
  );
  onRun<FactoryOptions>(ask("jobs", "the account's jobs", "factory jobs --account mia"), async (context) =>
    (await import("./ask-factory.ts")).showJobs(context),
  );
  const train = ask(
    "train",
    "fetch rows, say what it will take, and begin a job",
    "factory train --datanet 11 --host http://127.0.0.1:8560 --account mia",
    "factory train --rows mine.jsonl --set rank=4 --set rounds=2 --account mia",
  )
    .option("--datanet <id>", "whose version")
    .option("--version <n>", "its number; default: the present one")
    .option("--host <url>", "the Datanet's host")
    .option("--rows <file>", "rows of your own, to try: a JSON line each")
    .option("--base <id>", "a base of `factory bases`, or a folder or address that the factory allows", "own")
    .option("--set <field=value>", "a field of the form; may be repeated", collect, [])
    .option("--estimate", "only say what it would take");
  onRun<TrainJobOptions>(train, async (context) => (await import("./train-job.ts")).trainJob(context));
  onRun<FactoryOptions>(
    ask(
      "watch <job>",
      "a job's losses, speed and samples, until it ends",
      "factory watch job-1a2b --account mia",
    ),
    async (context) => (await import("./ask-factory.ts")).watchJob(context),
  );
  for (const [wish, description] of [
    ["pause", "keep a job's state, and give its place to others"],
    ["resume", "go on with a job that is paused or failed"],
    ["stop", "end a job early: what it has learned becomes the model"],
  ] as const)
    onRun<FactoryOptions>(
      ask(`${wish} <job>`, description, `factory ${wish} job-1a2b --account mia`),
      async (context) => (await import("./ask-factory.ts")).wishJob(context, wish),
    );
  onRun<FactoryOptions>(
    ask("delete <job>", "forget a job, and all that it made", "factory delete job-1a2b --account mia"),
    async (context) => (await import("./ask-factory.ts")).deleteJob(context),
  );
  const compare = ask(
    "compare <job>",
    "base and tuned model side by side",
    "factory compare job-1a2b --account mia",
  )
    .option("--prompt <text>", "a prompt of your own; default: rows that were held out", collect, [])
    .option("--tokens <n>", "most tokens of an answer", "32");
  onRun<CompareOptions>(compare, async (context) => (await import("./ask-factory.ts")).compareJob(context));
  const register = ask(
    "register <job>",
    "create the model on the ledger, have its genesis proven, sign and send it",
    "factory register job-1a2b --price 0.5 --account mia",
  )
    .option("--price <open>", "least payment for one answer", "0.5")
    .option("--amount <open>", "the model's first balance, which pays for its seals", "1");
  onRun<RegisterJobOptions>(register, async (context) =>
    (await import("./ask-factory.ts")).register(context),
  );
  const exporting = ask(
    "export <job>",
    "write a job's files to a folder",
    "factory export job-1a2b --out lora --account mia",
  )
    .option("--form <form>", "adapter, merged or model", "adapter")
    .requiredOption("--out <folder>", "a new folder");
  onRun<ExportOptions>(exporting, async (context) => (await import("./ask-factory.ts")).exportJob(context));
  onRun<FactoryOptions>(
    ask(
      "lineage <job>",
      "base, rows, people and settlements of a job's model",
      "factory lineage job-1a2b --account mia",
    ),
    async (context) => (await import("./ask-factory.ts")).showLineage(context),
  );
}

function addServe(factory: Command): void {
  const command = factory
    .command("serve")
    .description("run a factory until Ctrl-C; jobs go on at the next start")
    .option("--data <folder>", "rows, jobs and models")
    .option("--host <address>", "where to listen")
    .option("--port <number>", "where to listen; 0 = any free one")
    .option("--datanet-hosts <urls>", "Datanet hosts that rows are fetched from, with commas between")
    .option("--bases <places>", "folders and addresses of base models, with commas between")
    .option("--accounts <leaves>", "who may train: leaves with commas between, or any")
    .option("--threads <n>", "threads of a job")
    .option("--deployment <file>", "the rollup's deployment record");
  withExample(command, "factory serve", "factory serve --port 8570 --bases models/smollm2");
  onRun<ServeFactoryOptions>(command, async (context) =>
    (await import("./serve-factory.ts")).serveFactory(context),
  );
}

const collect = (value: string, before: string[]): string[] => [...before, value];
