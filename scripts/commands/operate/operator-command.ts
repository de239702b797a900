import { BACKEND_CHOICES } from "@openledger/prover/choose-backend";
import { type Command, InvalidArgumentError, Option } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import { parseAddress } from "../../cli/context.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { addProfitCommand } from "./fee-commands.ts";
import { addLeaseCommands } from "./lease-command.ts";
import { addPayProversCommand } from "./pay-provers-command.ts";
import { addWorkerKeyCommand } from "./worker-key-command.ts";

interface InitCommandOptions {
  deployment?: string;
  out: string;
  operatorKeyFile?: string;
  l1?: string;
  provers: number;
  queueFile?: string;
  workerQueueFile?: string;
  prover: string;
  host: string;
  port: number;
  follower: boolean;
  datanetHost: boolean;
  factory: boolean;
  modelFolder?: string;
  modelId?: number;
  modelKeyFile?: string;
  lease?: string;
  spareOf?: string;
  url?: string;
  user?: string;
  set: Record<string, string>;
}

export function addOperatorCommands(program: Command): void {
  const operator = program.command("operator").description("run a rollup: what its processes need");
  addProfitCommand(operator);
  addLeaseCommands(operator);
  addPayProversCommand(operator);
  addWorkerKeyCommand(operator);
  withExample(operator, "operator init --deployment deployment.json --out operator --operator-key-file key");
  const command = operator
    .command("init")
    .description(
      "write the configuration of every process: env files, secrets, systemd units, compose, Prometheus, Grafana",
    )
    .option("--deployment <file>", "the record that openledger deploy wrote; a spare takes the leader's")
    .requiredOption("--out <folder>", "the installation; run again, only secrets and data stay")
    .option("--operator-key-file <file>", "the operator's L1 key, mode 0600; it is copied into the folder")
    .option("--l1 <url>", "Ethereum node; default: the record's")
    .option("--provers <n>", "how many on this machine", parseCount, 1)
    .option(
      "--queue-file <file>",
      "provers take jobs from the Redis of this address (mode 0600), not from the sequencer",
    )
    .option("--worker-queue-file <file>", "the same address with the provers' own user and password")
    .addOption(
      new Option("--prover <backend>", "what makes the proofs; auto takes what is fastest on the machine")
        .choices(BACKEND_CHOICES)
        .default("auto"),
    )
    .option("--host <address>", "where the sequencer listens", "127.0.0.1")
    .option(
      "--port <number>",
      "of the sequencer; the other processes take the ones after it",
      parsePort,
      8547,
    )
    .option("--no-follower", "without a follower beside the operator")
    .option("--datanet-host", "serve Datanets, too: cards, rows, labels (docs/datanets.md)", false)
    .option("--factory", "make language models of Datanets, too (docs/factory.md)", false)
    .option("--model-folder <folder>", "serve this model, too; with --model-id and --model-key-file")
    .option("--model-id <id>", "its leaf", parseCount)
    .option("--model-key-file <file>", "the key of the model's owner, who settles its epochs")
    .option(
      "--lease <address>",
      "this machine needs the lease of `operator lease create`, so that a spare may take over (docs/failover.md)",
    )
    .option(
      "--spare-of <folder>",
      "this machine is the spare of that installation, or of a copy of its folder without data/",
    )
    .option("--url <url>", "where clients and provers find this machine's sequencer; it stands on L1")
    .option("--user <name>", "whom the units run as; default: who runs this")
    .option(
      "--set <NAME=value>",
      "a process's setting (docs/generated/settings.md); may be repeated",
      collect,
      {},
    );
  withExample(
    command,
    "operator init --deployment deployment.json --out operator --operator-key-file key --prover native",
    "operator init --deployment deployment.json --out operator --set BRIDGE_L1_MAX_FEE_GWEI=80",
    "operator init --deployment deployment.json --out operator --lease 0x… --url https://a…",
    "operator init --spare-of operator-copy --out spare --url https://b…",
  );
  onRun<InitCommandOptions>(command, async ({ options, output }) => {
    const { initInstallation } = await import("@openledger/operations/installation/init");
    const { modelFolder, modelId, modelKeyFile } = options;
    const isNone = [modelFolder, modelId, modelKeyFile].every((value) => value === undefined);
    if (!isNone && (modelFolder === undefined || modelId === undefined || modelKeyFile === undefined))
      throw commandError("CMD_USAGE", "--model-folder, --model-id and --model-key-file belong together");
    const { queueFile, workerQueueFile } = options;
    if ((queueFile === undefined) !== (workerQueueFile === undefined))
      throw commandError("CMD_USAGE", "--queue-file and --worker-queue-file belong together");
    const queue = queueFile === undefined ? null : { urlFile: queueFile, workerUrlFile: workerQueueFile! };
    const model = isNone ? null : { folder: modelFolder!, id: modelId!, keyFile: modelKeyFile! };
    const { lease, processes } = await initInstallation({
      deploymentPath: options.deployment ?? null,
      folder: options.out,
      operatorKeyFile: options.operatorKeyFile ?? null,
      rpcUrl: options.l1 ?? null,
      proverCount: options.provers,
      queue,
      backend: options.prover,
      host: options.host,
      firstPort: options.port,
      hasFollower: options.follower,
      hasDatanetHost: options.datanetHost,
      hasFactory: options.factory,
      model,
      leaseAddress: options.lease === undefined ? null : parseAddress(options.lease),
      spareOf: options.spareOf ?? null,
      url: options.url ?? null,
      user: options.user ?? null,
      settings: options.set,
    });
    output.answer(
      [
        ...processes.map(({ name, port }) => `${name} on port ${port}`),
        `systemd: systemctl link ${options.out}/systemd/* && systemctl start openledger.target`,
        `compose: docker compose -f ${options.out}/compose.yaml up -d`,
        ...(lease === null ? [] : [`lease ${lease.address}: this is the ${lease.role}, at ${lease.url}`]),
        lease?.role === "leader"
          ? `next, the first time: openledger operator lease take --config ${options.out}`
          : `next: openledger doctor --config ${options.out}`,
      ],
      { folder: options.out, processes, lease },
    );
  });
}

export function addDoctorCommand(program: Command): void {
  const command = program
    .command("doctor")
    .description("what is wrong with an installation, and what to do about it; status 1 if anything is")
    .requiredOption("--config <folder>", "the installation, as openledger operator init wrote it");
  withExample(command, "doctor --config operator", "doctor --config operator --json");
  onRun<{ config: string }>(command, async ({ options, output }) => {
    const { describeDiagnosis, examine } = await import("@openledger/operations/doctor/doctor");
    const diagnosis = await examine(options.config);
    output.answer(describeDiagnosis(diagnosis), diagnosis);
    if (diagnosis.problems.length > 0) process.exitCode = 1;
  });
}

function parseCount(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError("not a number");
  return Number(text);
}

function parsePort(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65_000) throw new InvalidArgumentError("not a port");
  return Number(text);
}

function collect(text: string, known: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("not NAME=value");
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
}
