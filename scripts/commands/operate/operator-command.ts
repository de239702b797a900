/**
 * `openledger operator`: the settings and secrets with which compose.yaml starts an operator's processes, roles in the database, the
 * bond, and the close of a batch.
 */
import { type Command, InvalidArgumentError } from "commander";
import { commandError } from "../../cli/cli-errors.ts";
import {
  DEPLOYMENT_OPTION,
  OPERATOR_KEY_OPTION,
  OUT_FILE_OPTION,
  OUT_FOLDER_OPTION,
} from "../../cli/common-options.ts";
import { required } from "../../cli/options.ts";
import { command, withExample } from "../../cli/run-command.ts";
import { addBondCommands } from "./bond-command.ts";
import { addCloseBatch } from "./close-batch-command.ts";

export function addOperatorCommands(program: Command): void {
  const operator = program
    .command("operator")
    .description("settings, secrets, bond and batches of a rollup's operator");
  withExample(operator, "operator init --deployment deployment.json --out operator --operator-key-file key");
  addInit(operator);
  addPrepareDatabase(operator);
  addWorkerRole(operator);
  addCloseBatch(operator);
  addBondCommands(operator);
}

const addInit = command({
  usage: "init",
  about: "check and write settings and secrets for the processes of compose.yaml",
  options: {
    ...required(DEPLOYMENT_OPTION),
    ...required(OUT_FOLDER_OPTION),
    ...OPERATOR_KEY_OPTION,
    "--cluster": "write settings and secrets for the services of the profile cluster, too",
    "--database-url-file <file>":
      "with --cluster: file with the address of your own PostgreSQL, as a role that makes tables and roles; mode 0600",
    "--l1 <url>": "URL of the Ethereum node; default: the deployment record's",
    "--set <NAME=value>": {
      about: "set a process's setting (docs/reference/settings.md); repeatable, and remembered",
      fallback: {},
      parse: collect,
    },
  },
  examples: [
    "operator init --deployment deployment.json --out operator --operator-key-file key",
    "operator init --deployment deployment.json --out operator --set BRIDGE_L1_MAX_FEE_GWEI=80",
  ],
  run: async ({ options, output }) => {
    const { cluster, databaseUrlFile } = options;
    if (databaseUrlFile !== undefined && cluster !== true)
      throw commandError("CMD_USAGE", "--database-url-file is for --cluster");
    const { initInstallation } = await import("./installation/init.ts");
    const { folder, profile, settings } = await initInstallation({
      deploymentPath: options.deployment,
      folder: options.out,
      operatorKeyFile: options.operatorKeyFile ?? null,
      rpcUrl: options.l1 ?? null,
      settings: options.set,
      cluster: cluster === true ? { ownerUrlFile: databaseUrlFile ?? null } : undefined,
    });

    output.answer(
      [
        `${folder} has the settings and secrets of all processes`,
        profile === null
          ? "start them: docker compose up --detach --wait (docs/how-to/operate.md)"
          : `start them: docker compose --profile ${profile} up --detach --wait (docs/how-to/many-machines.md)`,
        `then: OPENLEDGER_HOME=${folder} openledger status`,
      ],
      // By name: an Ethereum node's address often has a password in it.
      { folder, settings: Object.keys(settings) },
    );
  },
});

const addPrepareDatabase = command({
  usage: "prepare-database",
  about: "make or migrate the tables of all services, and give each service its role in the database",
  options: {
    ...required(DEPLOYMENT_OPTION),
    ...required({
      "--roles <folder>": "folder with the services' addresses, as operator init --cluster wrote it",
    }),
  },
  examples: [
    "operator prepare-database --deployment operator/installation/deployment.json --roles operator/installation/secrets/database",
  ],
  run: async ({ options: { deployment, roles }, output }) => {
    const { prepareDatabase } = await import("./installation/prepare-database.ts");
    const services = await prepareDatabase({ deploymentPath: deployment, folder: roles }, process.env);
    output.answer(
      ["the tables are those of this version", ...services.map((service) => `${service} has its role`)],
      { services },
    );
  },
});

const addWorkerRole = command({
  usage: "worker-role <name>",
  about: "make a role of the database for a machine of workers, or give it a new password",
  options: {
    ...required(OUT_FILE_OPTION),
    "--factory": "for workers of the factory, too, which read its rows and write its models",
  },
  examples: [
    "operator worker-role machine_7 --out machine-7-url",
    "operator worker-role machine_8 --out machine-8-url --factory",
  ],
  run: async ({ args, options: { factory, out }, output }) => {
    const { writeWorkerRole } = await import("./installation/worker-role.ts");
    const name = args[0]!;
    const isForFactory = factory === true;
    await writeWorkerRole({ name, out, isForFactory }, process.env);
    const [may, start] = isForFactory
      ? [
          "takes jobs of the queues, reads the factory's rows and writes its models",
          `FACTORY_DATABASE_URL_FILE=${out} node scripts/start.js models/factory/worker/main.ts`,
        ]
      : [
          "takes jobs of the queue and may do nothing else",
          `PROVER_DATABASE_URL_FILE=${out} node scripts/start.js prover/queue/main.ts`,
        ];
    output.answer([`${out} has the address of ${name}, which ${may}`, `on its machine: ${start}`], {
      name,
      out,
    });
  },
});

function collect(text: string, known: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("not NAME=value");
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
}
