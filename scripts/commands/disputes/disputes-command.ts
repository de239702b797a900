import type { Command } from "commander";
import { MODEL_ID_OPTION } from "../../cli/common-options.ts";
import { type OptionsOf, type OptionTable, withOptions } from "../../cli/options.ts";
import { type CommandContext, onRun, withExample } from "../../cli/run-command.ts";
import { ADMIT_OPTIONS, CLAIM_OPTIONS, DEPLOY_OPTIONS, POST_OPTIONS } from "./disputes-options.ts";

/** docs/explanation/disputes.md. Everything is loaded by its action: training would make every other command slower. */
export function addDisputesCommands(program: Command): void {
  const disputes = program
    .command("disputes")
    .description("commit a model's parts on L1 with a bond, so that anyone can challenge one wrong number");
  withExample(disputes, "disputes show 0x…");
  add(
    disputes.command("deploy"),
    "deploy the registry of model commitments: judges of each family, bisection games of language models, and the constants that challenges read",
    DEPLOY_OPTIONS,
    ["disputes deploy --account alice", "disputes deploy --bond 1 --window-days 10 --account alice"],
    async (context) => (await import("./disputes-deploy.ts")).deployContracts(context),
  );
  add(
    disputes.command("commit-model <disputes> <model>"),
    "check every number of a registered model, and commit its roots with a bond; its version must be in L1's state",
    POST_OPTIONS,
    ["disputes commit-model 0x… spam-model --model-id 12 --account walt"],
    async (context) => (await import("./disputes-commit-model.ts")).commitModel(context),
  );
  add(
    disputes.command("show <disputes>"),
    "show every model commitment: challenge window, bond, who has recomputed it, and which rollups admit its activation",
    { ...MODEL_ID_OPTION },
    ["disputes show 0x… --model-id 12"],
    async (context) => (await import("./disputes-show.ts")).showModelCommitments(context),
  );
  add(
    disputes.command("admit <disputes> <model>"),
    "admit a model's activation to the rollup: after its challenge window, or at once if its statics promise none; a language model that promises claims is registered first, and its draws wait for the claims",
    ADMIT_OPTIONS,
    [
      "disputes admit 0x… spam-model --model-id 12 --cap 32 --account walt",
      "disputes admit 0x… speeches --model-id 13 --cap 32 --account mia",
    ],
    async (context) => (await import("./disputes-admit.ts")).admitModel(context),
  );
  // docs/explanation/fault-proofs.md.
  add(
    disputes.command("claim-query <game> <model> <prompt>"),
    "claim the query of a receipt, with a bond: from the model's claimant",
    CLAIM_OPTIONS,
    [
      'disputes claim-query 0x… speeches "The state of the union" --model-id 13 --payer 9 --salt 0x… --account mia',
    ],
    async (context) => (await import("./query-disputes.ts")).claimQuery(context),
  );
  add(
    disputes.command("withdraw <disputes>"),
    "pay out what the account is owed: rewards of challenges, fees, stakes and bonds",
    {},
    ["disputes withdraw 0x… --account walt"],
    async (context) => (await import("./disputes-money.ts")).withdrawOwed(context),
  );
}

function add<const Table extends OptionTable>(
  command: Command,
  about: string,
  options: Table,
  examples: readonly string[],
  run: (context: CommandContext<OptionsOf<Table>>) => Promise<void>,
): void {
  const typed = withOptions(command.description(about), options);
  withExample(typed, ...examples);
  onRun(typed, run);
}
