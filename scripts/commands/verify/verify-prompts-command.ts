import { hex32 } from "@openledger/foundation/hex";
import type { DrawVerdict } from "@openledger/models/settling/verify-settlement";
import type { Command } from "commander";
import { FOLDER_OPTION, SERVER_OPTION } from "../../cli/common-options.ts";
import { openReader } from "../../cli/context.ts";
import { withOptions } from "../../cli/options.ts";
import { renderTable } from "../../cli/output.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";

const WORDS: Readonly<Record<DrawVerdict, string>> = {
  same: "its prompt has these counts",
  withheld: "no prompt is published: the payer's own check is all there is",
  "another-prompt": "⚠ the prompt or the answer is not the one of the receipt",
  dictated: "⚠ paid by counts that its prompt does not have",
  unopened: "void: nobody opens it",
  "false-opening": "void: the opening is not its receipt's",
  "false-answer": "⚠ void: the answer was not the model's",
};

export function addVerifyPromptsCommand(parent: Command): void {
  const command = withOptions(
    parent
      .command("prompts <model> <epoch>")
      .description(
        "compare the published prompts of a direct model's drawn payments with what pays for them",
      ),
    {
      ...SERVER_OPTION,
      ...FOLDER_OPTION,
    },
  );
  withExample(command, "verify prompts 16 1");
  onRun(command, async ({ options, args, output }) => {
    const wanted = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
    const client = await openReader(options);
    // Loaded here: they would make every other command slower.
    const [{ judgeDraws }, { fetchPublished }] = await Promise.all([
      import("@openledger/models/settling/verify-settlement"),
      import("../model/model-settle-direct.ts"),
    ]);
    const published = await fetchPublished(wanted.modelId, wanted.epoch, options, (text) =>
      output.progress(text),
    );
    const judged = await judgeDraws(client, wanted, published);
    const lines = renderTable([
      ["draw", "payment", "payer", "receipt", ""],
      ...judged.map(({ draw, paymentIndex, payerId, receipt, verdict }) => [
        String(draw),
        String(paymentIndex),
        `leaf ${payerId}`,
        hex32(receipt),
        WORDS[verdict],
      ]),
    ]);
    output.answer(lines, { ...wanted, draws: judged });
  });
}
