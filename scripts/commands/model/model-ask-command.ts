import { TEXT_BASE_OPTION } from "@openledger/models/registered/model-families";
import type { Command } from "commander";
import { onRun, withExample, withWait } from "../../cli/run-command.ts";
import type { AskOptions } from "./model-ask.ts";

export function addModelAskCommand(parent: Command): void {
  const command = parent
    .command("ask <model> <prompt>")
    .description("ask a model, check its answer against your own copy of it, and pay for it")
    .option("--server <url>", "where the model is served; default: what this machine knows")
    .option("--folder <folder>", "your copy of the model; by default it is fetched from the server")
    .option(...TEXT_BASE_OPTION)
    .option(
      "--check-answer",
      "of a language model or a direct one: let your own copy answer, too, not only compute the query",
    )
    .option(
      "--spans-root <hex>",
      "of an index that you have made or trust: verbatim spans are checked against it",
    )
    .option(
      "--private",
      "of a direct model: the prompt is not published even if its payment is drawn; nobody else can compare it then",
    )
    .option("--max-price <open>", "the most that you pay; default: what the answer asks")
    .option("--no-pay", "only ask and check; another question is answered once this one is paid or expired");
  withWait(command, "acknowledged");
  withExample(
    command,
    'model ask 15 "Subject: you have won a free cruise" --account nina',
    'model ask 15 "lunch at noon?" --no-pay --account nina',
    'model ask 16 "The state of the union" --check-answer --account nina',
  );
  onRun<AskOptions>(command, async (context) => {
    // Loaded here: it would make every other command slower.
    const { askAndPay } = await import("./model-ask.ts");
    await askAndPay(context);
  });
}
