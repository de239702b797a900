/**
 * `openledger operator`: the settings and secrets with which compose.yaml starts an operator's processes, roles of workers, the
 * bond, and the close of a batch.
 */
import { type Command, InvalidArgumentError } from "commander";
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
    const { initInstallation } = await import("./installation/init.ts");
    const { folder, settings } = await initInstallation({
      deploymentPath: options.deployment,
      folder: options.out,
      operatorKeyFile: options.operatorKeyFile ?? null,
      rpcUrl: options.l1 ?? null,
      settings: options.set,
    });
    output.answer(
      [
        `${folder} has the settings and secrets of all processes`,
        "start them: docker compose up --detach --wait (docs/how-to/operate.md)",
        `then: OPENLEDGER_HOME=${folder} openledger status`,
      ],
      // By name: an Ethereum node's address often has a password in it.
      { folder, settings: Object.keys(settings) },
    );
  },
});

const addWorkerRole = command({
  usage: "worker-role <name>",
  about: "make a role of the database for a machine of workers, or give it a new password",
  options: { ...required(OUT_FILE_OPTION) },
  examples: ["operator worker-role machine_7 --out machine-7-url"],
  run: async ({ args, options: { out }, output }) => {
    const { writeWorkerRole } = await import("./installation/worker-role.ts");
    const name = args[0]!;
    await writeWorkerRole({ name, out }, process.env);
    output.answer(
      [
        `${out} has the address of ${name}, which takes jobs of the queue and may do nothing else`,
        `on its machine: PROVER_DATABASE_URL_FILE=${out} node scripts/start.js prover/queue/main.ts`,
      ],
      { name, out },
    );
  },
});

function collect(text: string, known: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("not NAME=value");
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) };
}
