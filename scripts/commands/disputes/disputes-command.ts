import { TEXT_BASE_OPTION } from "@openledger/models/registered/model-families";
import type { Command } from "commander";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";
import type { DeployGameOptions } from "./deploy-game.ts";
import type { AdmitOptions } from "./disputes-admit.ts";
import type { AnswerOptions } from "./disputes-answer.ts";
import type { DeployOptions, PostOptions } from "./disputes-post.ts";
import type { ShowOptions } from "./disputes-show.ts";
import type { ClaimOptions, PlayOptions } from "./query-disputes.ts";
import type { ApproveOptions, RegisterTracedOptions } from "./traced-ledger.ts";

/** docs/disputes.md. Everything is loaded by its action: training would make every other command slower. */
export function addDisputesCommands(program: Command): void {
  const disputes = program
    .command("disputes")
    .description(
      "post what a model is made of, with a bond, so that anyone may show one wrong place of it on L1",
    );
  withExample(disputes, "disputes show 0x…");
  addDeploy(disputes);
  addGate(disputes);
  addPost(disputes);
  addShow(disputes);
  addAdmit(disputes);
  addQueries(disputes);
  addAnswer(disputes);
  addWithdraw(disputes);
}

function addDeploy(disputes: Command): void {
  const command = disputes
    .command("deploy")
    .description("deploy the contracts Disputes and LedgerMath, and store the constants that challenges read")
    .option("--window-days <days>", "in which anyone may refute a posting; at least 3", "7")
    .option("--bond <ether>", "the least bond of a posting", "0.5")
    .option(
      "--demand-fee <ether>",
      "of a demand for one unpublished leaf: more than an answer costs its owner, up to 1.34 million gas",
      "0.05",
    )
    .option(
      "--rows <count>",
      "most rows of the models that will be posted; more constants can follow",
      "1024",
    )
    .option("--direct", "for direct models, whose contract is another");
  withExample(command, "disputes deploy --account alice --rows 1024");
  onRun<DeployOptions>(command, async (context) =>
    (await import("./disputes-post.ts")).deployContracts(context),
  );
}

function addGate(disputes: Command): void {
  const command = disputes
    .command("gate <contracts...>")
    .description(
      "deploy one gate before several contracts of disputes: a rollup names one, models are of kinds",
    );
  withExample(command, "disputes gate 0x… 0x… --account alice");
  onRun<object>(command, async (context) => (await import("./disputes-gate.ts")).deployGate(context));
}

function addPost(disputes: Command): void {
  const command = disputes
    .command("post <disputes> <model>")
    .description(
      "check every place of a registered model, and post its roots with a bond; its version has to be in L1's state",
    )
    .requiredOption("--model-id <id>", "the model's leaf")
    .option("--bond <ether>", "more than the least bond")
    .option(...TEXT_BASE_OPTION);
  withExample(command, "disputes post 0x… spam-model --model-id 12 --account walt");
  onRun<PostOptions>(command, async (context) => (await import("./disputes-post.ts")).postModel(context));
}

function addShow(disputes: Command): void {
  const command = disputes
    .command("show <disputes>")
    .description(
      "every posting: its window, its bond, who has recomputed it, and which rollups may take its genesis",
    )
    .option("--model-id <id>", "of one model");
  withExample(command, "disputes show 0x… --model-id 12");
  onRun<ShowOptions>(command, async (context) => (await import("./disputes-show.ts")).showPostings(context));
}

function addAdmit(disputes: Command): void {
  const command = disputes
    .command("admit <disputes> <model>")
    .description(
      "let the rollup take a model's genesis: after its window, or at once where its statics promise no window",
    )
    .requiredOption("--model-id <id>", "the model's leaf")
    .requiredOption(
      "--cap <payments>",
      "most payments of an epoch: those of the settlement circuit that its genesis names",
    );
  withExample(command, "disputes admit 0x… spam-model --model-id 12 --cap 32 --account walt");
  onRun<AdmitOptions>(command, async (context) => (await import("./disputes-admit.ts")).admitModel(context));
}

/** docs/lm-disputes.md. */
function addQueries(disputes: Command): void {
  const deploy = disputes
    .command("deploy-game")
    .description(
      "deploy LedgerTraces, for queries of language models, TextDisputes and RowTraces, for their rows, and a gate before them and others",
    )
    .option("--window-days <days>", "in which anyone may challenge a claim", "3")
    .option("--side-hours <hours>", "that a player has for all moves of a game", "48")
    .option("--math <address>", "a LedgerMath that is there; default: a new one")
    .option("--beside <addresses...>", "contracts of disputes that the gate asks, too")
    .option("--bond <ether>", "the least bond of a claim", "0.5")
    .option("--stake <ether>", "of a challenger", "0.1")
    .option("--posting-window-days <days>", "in which anyone may refute a posting; at least 3", "7")
    .option("--posting-bond <ether>", "the least bond of a posting", "0.5")
    .option("--demand-fee <ether>", "of a demand for one unpublished leaf of a posting", "0.05")
    .option(
      "--rows <count>",
      "most rows of the models that will be posted; more constants can follow",
      "1024",
    );
  withExample(deploy, "disputes deploy-game --account alice");
  onRun<DeployGameOptions>(deploy, async (context) => (await import("./deploy-game.ts")).deployGame(context));
  const claim = disputes
    .command("claim-query <game> <model> <prompt>")
    .description("claim the query of a receipt, with a bond: from the model's claimant")
    .requiredOption("--model-id <id>", "the model's leaf")
    .requiredOption("--payer <id>", "whose receipt it is")
    .requiredOption("--salt <number>", "of the receipt")
    .option("--answer <json>", "as the receipt hashes it; default: the model answers")
    .option("--base <place>", "where the base is, if the model's recipe does not find it");
  withExample(
    claim,
    'disputes claim-query 0x… speeches "The state of the union" --model-id 13 --payer 9 --salt 0x… --account mia',
  );
  onRun<ClaimOptions>(claim, async (context) => (await import("./query-disputes.ts")).claimQuery(context));
  const register = disputes
    .command("register <game> <model>")
    .description(
      "let the rollup take the genesis of a language model that promises claims, and make its draws wait for them",
    )
    .requiredOption("--model-id <id>", "the model's leaf: created, and not begun")
    .requiredOption(
      "--cap <payments>",
      "most payments of an epoch: those of the settlement circuit that its genesis names",
    )
    .option("--base <place>", "where the base is, if the model's recipe does not find it");
  withExample(register, "disputes register 0x… speeches --model-id 13 --cap 32 --account mia");
  onRun<RegisterTracedOptions>(register, async (context) =>
    (await import("./traced-ledger.ts")).registerTraced(context),
  );
  const approve = disputes
    .command("approve <game>")
    .description(
      "show L1 that each draw of an epoch has a claim that stands: `model serve --settle` does it by itself",
    )
    .requiredOption("--model-id <id>", "the model's leaf")
    .option("--epoch <number>", "that waits for its settlement; default: the one that does")
    .option("--server <url>", "the model's server, whose answers open the receipts")
    .option("--folder <folder>", "the model's files, if its server is not to be asked for them")
    .option(...CIRCUITS_OPTION);
  withExample(approve, "disputes approve 0x… --model-id 13 --account mia");
  onRun<ApproveOptions>(approve, async (context) =>
    (await import("./traced-ledger.ts")).approveEpoch(context),
  );
  const play = disputes
    .command("play <game> <model>")
    .description(
      "trace each claimed query of a model again, challenge false ones, and make one's moves in games over queries and rows",
    )
    .requiredOption("--model-id <id>", "the model's leaf")
    .option("--every <minutes>", "look again and again")
    .option("--most-stake <ether>", "of one challenge of a query; default: eight times the contract's stake")
    .option("--base <place>", "where the base is, if the model's recipe does not find it");
  withExample(play, "disputes play 0x… speeches --model-id 13 --account walt --every 10");
  onRun<PlayOptions>(play, async (context) => (await import("./query-disputes.ts")).playGames(context));
}

function addWithdraw(disputes: Command): void {
  const command = disputes
    .command("withdraw <disputes>")
    .description(
      "pay the account what it is owed: rewards of challenges, fees, stakes, and bonds of what counts or stands",
    );
  withExample(command, "disputes withdraw 0x… --account walt");
  onRun<object>(command, async (context) => (await import("./disputes-money.ts")).withdrawOwed(context));
}

function addAnswer(disputes: Command): void {
  const command = disputes
    .command("answer <disputes> <model>")
    .description(
      "show every leaf that somebody has demanded of your postings: a day later each refutes; the demand's fee is yours",
    )
    .requiredOption("--model-id <id>", "the model's leaf")
    .option(...TEXT_BASE_OPTION);
  withExample(command, "disputes answer 0x… spam-model --model-id 12 --account walt");
  onRun<AnswerOptions>(command, async (context) =>
    (await import("./disputes-answer.ts")).answerDemands(context),
  );
}
