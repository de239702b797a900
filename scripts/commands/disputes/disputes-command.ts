import type { Command } from "commander";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { CIRCUITS_OPTION } from "../../cli/settlement-options.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";

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
  const command = withOptions(
    disputes
      .command("deploy")
      .description(
        "deploy the contracts Disputes and LedgerMath, and store the constants that challenges read",
      ),
    {
      "--window-days <days>": { about: "in which anyone may refute a posting; at least 3", fallback: "7" },
      "--bond <ether>": { about: "the least bond of a posting", fallback: "0.5" },
      "--demand-fee <ether>": {
        about:
          "of a demand for one unpublished leaf: more than an answer costs its owner, up to 1.34 million gas",
        fallback: "0.05",
      },
      "--rows <count>": {
        about: "most rows of the models that will be posted; more constants can follow",
        fallback: "1024",
      },
      "--direct": "for direct models, whose contract is another",
    },
  );
  withExample(command, "disputes deploy --account alice --rows 1024");
  onRun(command, async (context) => (await import("./disputes-post.ts")).deployContracts(context));
}

function addGate(disputes: Command): void {
  const command = disputes
    .command("gate <contracts...>")
    .description(
      "deploy one gate before several contracts of disputes: a rollup names one, models are of kinds",
    );
  withExample(command, "disputes gate 0x… 0x… --account alice");
  onRun(command, async (context) => (await import("./disputes-gate.ts")).deployGate(context));
}

function addPost(disputes: Command): void {
  const command = withOptions(
    disputes
      .command("post <disputes> <model>")
      .description(
        "check every place of a registered model, and post its roots with a bond; its version has to be in L1's state",
      ),
    {
      "--model-id <id>": { about: "the model's leaf", isRequired: true },
      "--bond <ether>": "more than the least bond",
      ...TEXT_BASE_OPTION,
    },
  );
  withExample(command, "disputes post 0x… spam-model --model-id 12 --account walt");
  onRun(command, async (context) => (await import("./disputes-post.ts")).postModel(context));
}

function addShow(disputes: Command): void {
  const command = withOptions(
    disputes
      .command("show <disputes>")
      .description(
        "every posting: its window, its bond, who has recomputed it, and which rollups may take its genesis",
      ),
    { "--model-id <id>": "of one model" },
  );
  withExample(command, "disputes show 0x… --model-id 12");
  onRun(command, async (context) => (await import("./disputes-show.ts")).showPostings(context));
}

function addAdmit(disputes: Command): void {
  const command = withOptions(
    disputes
      .command("admit <disputes> <model>")
      .description(
        "let the rollup take a model's genesis: after its window, or at once where its statics promise no window",
      ),
    {
      "--model-id <id>": { about: "the model's leaf", isRequired: true },
      "--cap <payments>": {
        about: "most payments of an epoch: those of the settlement circuit that its genesis names",
        isRequired: true,
      },
    },
  );
  withExample(command, "disputes admit 0x… spam-model --model-id 12 --cap 32 --account walt");
  onRun(command, async (context) => (await import("./disputes-admit.ts")).admitModel(context));
}

/** docs/lm-disputes.md. */
function addQueries(disputes: Command): void {
  const deploy = withOptions(
    disputes
      .command("deploy-game")
      .description(
        "deploy LedgerTraces, for queries of language models, TextDisputes and RowTraces, for their rows, and a gate before them and others",
      ),
    {
      "--window-days <days>": { about: "in which anyone may challenge a claim", fallback: "3" },
      "--side-hours <hours>": { about: "that a player has for all moves of a game", fallback: "48" },
      "--math <address>": "a LedgerMath that is there; default: a new one",
      "--beside <addresses...>": "contracts of disputes that the gate asks, too",
      "--bond <ether>": { about: "the least bond of a claim", fallback: "0.5" },
      "--stake <ether>": { about: "of a challenger", fallback: "0.1" },
      "--posting-window-days <days>": {
        about: "in which anyone may refute a posting; at least 3",
        fallback: "7",
      },
      "--posting-bond <ether>": { about: "the least bond of a posting", fallback: "0.5" },
      "--demand-fee <ether>": {
        about: "of a demand for one unpublished leaf of a posting",
        fallback: "0.05",
      },
      "--rows <count>": {
        about: "most rows of the models that will be posted; more constants can follow",
        fallback: "1024",
      },
    },
  );
  withExample(deploy, "disputes deploy-game --account alice");
  onRun(deploy, async (context) => (await import("./deploy-game.ts")).deployGame(context));
  const claim = withOptions(
    disputes
      .command("claim-query <game> <model> <prompt>")
      .description("claim the query of a receipt, with a bond: from the model's claimant"),
    {
      "--model-id <id>": { about: "the model's leaf", isRequired: true },
      "--payer <id>": { about: "whose receipt it is", isRequired: true },
      "--salt <number>": { about: "of the receipt", isRequired: true },
      "--answer <json>": "as the receipt hashes it; default: the model answers",
      "--base <place>": "where the base is, if the model's recipe does not find it",
    },
  );
  withExample(
    claim,
    'disputes claim-query 0x… speeches "The state of the union" --model-id 13 --payer 9 --salt 0x… --account mia',
  );
  onRun(claim, async (context) => (await import("./query-disputes.ts")).claimQuery(context));
  const register = withOptions(
    disputes
      .command("register <game> <model>")
      .description(
        "let the rollup take the genesis of a language model that promises claims, and make its draws wait for them",
      ),
    {
      "--model-id <id>": { about: "the model's leaf: created, and not begun", isRequired: true },
      "--cap <payments>": {
        about: "most payments of an epoch: those of the settlement circuit that its genesis names",
        isRequired: true,
      },
      "--base <place>": "where the base is, if the model's recipe does not find it",
    },
  );
  withExample(register, "disputes register 0x… speeches --model-id 13 --cap 32 --account mia");
  onRun(register, async (context) => (await import("./traced-ledger.ts")).registerTraced(context));
  const approve = withOptions(
    disputes
      .command("approve <game>")
      .description(
        "show L1 that each draw of an epoch has a claim that stands: `model serve --settle` does it by itself",
      ),
    {
      "--model-id <id>": { about: "the model's leaf", isRequired: true },
      "--epoch <number>": "that waits for its settlement; default: the one that does",
      "--server <url>": "the model's server, whose answers open the receipts",
      "--folder <folder>": "the model's files, if its server is not to be asked for them",
      ...CIRCUITS_OPTION,
    },
  );
  withExample(approve, "disputes approve 0x… --model-id 13 --account mia");
  onRun(approve, async (context) => (await import("./traced-ledger.ts")).approveEpoch(context));
  const play = withOptions(
    disputes
      .command("play <game> <model>")
      .description(
        "trace each claimed query of a model again, challenge false ones, and make one's moves in games over queries and rows",
      ),
    {
      "--model-id <id>": { about: "the model's leaf", isRequired: true },
      "--every <minutes>": "look again and again",
      "--most-stake <ether>": "of one challenge of a query; default: eight times the contract's stake",
      "--base <place>": "where the base is, if the model's recipe does not find it",
    },
  );
  withExample(play, "disputes play 0x… speeches --model-id 13 --account walt --every 10");
  onRun(play, async (context) => (await import("./query-disputes.ts")).playGames(context));
}

function addWithdraw(disputes: Command): void {
  const command = disputes
    .command("withdraw <disputes>")
    .description(
      "pay the account what it is owed: rewards of challenges, fees, stakes, and bonds of what counts or stands",
    );
  withExample(command, "disputes withdraw 0x… --account walt");
  onRun(command, async (context) => (await import("./disputes-money.ts")).withdrawOwed(context));
}

function addAnswer(disputes: Command): void {
  const command = withOptions(
    disputes
      .command("answer <disputes> <model>")
      .description(
        "show every leaf that somebody has demanded of your postings: a day later each refutes; the demand's fee is yours",
      ),
    { "--model-id <id>": { about: "the model's leaf", isRequired: true }, ...TEXT_BASE_OPTION },
  );
  withExample(command, "disputes answer 0x… spam-model --model-id 12 --account walt");
  onRun(command, async (context) => (await import("./disputes-answer.ts")).answerDemands(context));
}
