import type { Command } from "commander";
import { MODEL_ID_OPTION } from "../../cli/common-options.ts";
import { command, withExample } from "../../cli/run-command.ts";
import { ADMIT_OPTIONS, CLAIM_OPTIONS, DEPLOY_OPTIONS, POST_OPTIONS } from "./disputes-options.ts";

/** docs/explanation/disputes.md and fault-proofs.md. Everything is loaded by its action: training would make every other command slower. */
const COMMANDS = [
  command({
    usage: "deploy",
    about:
      "deploy the registry of model commitments: judges of each family, bisection games of language models, and the constants that challenges read",
    options: DEPLOY_OPTIONS,
    examples: [
      "disputes deploy --account alice",
      "disputes deploy --bond 1 --window-days 10 --account alice",
    ],
    run: async (context) => (await import("./disputes-deploy.ts")).deployContracts(context),
  }),
  command({
    usage: "commit-model <disputes> <model>",
    about:
      "check every number of a registered model, and commit its roots with a bond; its version must be in L1's state",
    options: POST_OPTIONS,
    examples: ["disputes commit-model 0x… spam-model --model-id 12 --account walt"],
    run: async (context) => (await import("./disputes-commit-model.ts")).commitModel(context),
  }),
  command({
    usage: "show <disputes>",
    about:
      "show every model commitment: challenge window, bond, who has recomputed it, and which rollups admit its activation",
    options: MODEL_ID_OPTION,
    examples: ["disputes show 0x… --model-id 12"],
    run: async (context) => (await import("./disputes-show.ts")).showModelCommitments(context),
  }),
  command({
    usage: "admit <disputes> <model>",
    about:
      "admit a model's activation to the rollup: after its challenge window, or at once if its statics promise none; a language model that promises claims is registered first, and its draws wait for the claims",
    options: ADMIT_OPTIONS,
    examples: [
      "disputes admit 0x… spam-model --model-id 12 --cap 32 --account walt",
      "disputes admit 0x… speeches --model-id 13 --cap 32 --account mia",
    ],
    run: async (context) => (await import("./disputes-admit.ts")).admitModel(context),
  }),
  command({
    usage: "claim-query <game> <model> <prompt>",
    about: "claim the query of a receipt, with a bond: from the model's claimant",
    options: CLAIM_OPTIONS,
    examples: [
      'disputes claim-query 0x… speeches "The state of the union" --model-id 13 --payer 9 --salt 0x… --account mia',
    ],
    run: async (context) => (await import("./query-disputes.ts")).claimQuery(context),
  }),
  command({
    usage: "withdraw <disputes>",
    about: "pay out what the account is owed: rewards of challenges, fees, stakes and bonds",
    examples: ["disputes withdraw 0x… --account walt"],
    run: async (context) => (await import("./disputes-money.ts")).withdrawOwed(context),
  }),
];

export function addDisputesCommands(program: Command): void {
  const disputes = program
    .command("disputes")
    .description("commit a model's parts on L1 with a bond, so that anyone can challenge one wrong number");
  withExample(disputes, "disputes show 0x…");
  for (const add of COMMANDS) add(disputes);
}
