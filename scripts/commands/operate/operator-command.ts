import { BACKEND_CHOICES } from "@openledger/prover/choose-backend";
import { type Command, InvalidArgumentError } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import {
  DEPLOYMENT_OPTION,
  INSTALLATION_OPTION,
  LEASE_OPTION,
  LISTEN_OPTIONS,
  MODEL_ID_OPTION,
  OPERATOR_KEY_OPTION,
  OUT_FOLDER_OPTION,
  URL_OPTION,
} from "../../cli/common-options.ts";
import { parseAddress } from "../../cli/context.ts";
import { required } from "../../cli/options.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command, withExample } from "../../cli/run-command.ts";
import { addLeaseCommands } from "./lease-command.ts";

export function addOperatorCommands(program: Command): void {
  const operator = program
    .command("operator")
    .description("run a rollup: configuration and leases of its processes");
  addLeaseCommands(operator);
  withExample(operator, "operator init --deployment deployment.json --out operator --operator-key-file key");
  addInit(operator);
}

const addInit = command({
  usage: "init",
  about:
    "write the configuration of every process: env files, secrets, systemd units, compose, Prometheus, Grafana",
  options: {
    ...DEPLOYMENT_OPTION,
    ...required(OUT_FOLDER_OPTION),
    ...OPERATOR_KEY_OPTION,
    "--l1 <url>": "URL of the Ethereum node; default: the deployment record's",
    "--provers <n>": {
      about: "number of the queue's workers on this machine",
      fallback: 1,
      parse: parseCount,
    },
    "--queue-file <file>":
      "file with the Redis URL of the queue of proofs; default: a child process of the sequencer; mode 0600",
    "--worker-queue-file <file>": "file with the same URL and the workers' own user and password",
    "--prover <backend>": {
      about: "prover back end; auto picks the fastest on the machine",
      choices: BACKEND_CHOICES,
      fallback: "auto",
    },
    ...LISTEN_OPTIONS,
    "--no-full-node": "set up no full node beside the operator",
    "--datanet-host": {
      about: "add a Datanet host: cards, rows, labels (docs/explanation/datanets.md)",
      fallback: false,
    },
    "--factory": { about: "add a ModelFactory (docs/explanation/factory.md)", fallback: false },
    "--model-folder <folder>": "add a server of this model; with --model-id and --model-key-file",
    ...MODEL_ID_OPTION,
    "--model-key-file <file>": "file with the key of the model's owner, which settles its epochs",
    ...LEASE_OPTION,
    "--standby-of <folder>":
      "set this machine up as the standby of that installation, or of a copy of its folder without data/",
    ...URL_OPTION,
    "--user <name>": "user of the systemd units; default: the current user",
    "--set <NAME=value>": {
      about: "set a process's setting (docs/reference/settings.md); repeatable",
      fallback: {},
      parse: collect,
    },
  },
  examples: [
    "operator init --deployment deployment.json --out operator --operator-key-file key --prover native",
    "operator init --deployment deployment.json --out operator --set BRIDGE_L1_MAX_FEE_GWEI=80",
    "operator init --deployment deployment.json --out operator --lease 0x… --url https://a…",
    "operator init --standby-of operator-copy --out standby --url https://b…",
  ],
  run: async ({ options, output }) => {
    const { initInstallation } = await import("@openledger/operations/installation/init");
    const { modelFolder, modelId, modelKeyFile } = options;
    const isNone = [modelFolder, modelId, modelKeyFile].every((value) => value === undefined);
    if (!isNone && (modelFolder === undefined || modelId === undefined || modelKeyFile === undefined))
      throw commandError("CMD_USAGE", "--model-folder, --model-id and --model-key-file belong together");
    const { queueFile, workerQueueFile } = options;
    if ((queueFile === undefined) !== (workerQueueFile === undefined))
      throw commandError("CMD_USAGE", "--queue-file and --worker-queue-file belong together");
    const queue = queueFile === undefined ? null : { urlFile: queueFile, workerUrlFile: workerQueueFile! };
    const model = isNone ? null : { folder: modelFolder!, id: parseId(modelId!), keyFile: modelKeyFile! };
    const { lease, processes } = await initInstallation({
      deploymentPath: options.deployment ?? null,
      folder: options.out,
      operatorKeyFile: options.operatorKeyFile ?? null,
      rpcUrl: options.l1 ?? null,
      proverCount: options.provers,
      queue,
      backend: options.prover,
      host: options.host ?? "127.0.0.1",
      firstPort: options.port ?? 8547,
      hasFullNode: options.fullNode,
      hasDatanetHost: options.datanetHost,
      hasFactory: options.factory,
      model,
      leaseAddress: options.lease === undefined ? null : parseAddress(options.lease),
      standbyOf: options.standbyOf ?? null,
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
  },
});

export const addDoctorCommand = command({
  usage: "doctor",
  about: "check an installation and print what to fix; exit status 1 if anything is wrong",
  options: {
    ...required(INSTALLATION_OPTION),
  },
  examples: ["doctor --config operator", "doctor --config operator --json"],
  run: async ({ options, output }) => {
    const { describeDiagnosis, examine } = await import("@openledger/operations/doctor/doctor");
    const diagnosis = await examine(options.config);
    output.answer(describeDiagnosis(diagnosis), diagnosis);
    if (diagnosis.problems.length > 0) process.exitCode = 1;
  },
});

function parseCount(text: string): number {
  if (!/^\d{1,8}$/.test(text)) throw new InvalidArgumentError("not a number");
  return Number(text);
}

function collect(text: string, known: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("not NAME=value");
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
}
