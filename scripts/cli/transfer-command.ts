import type { Command } from "commander";
import { forceTransfer } from "../../client/force-transfer.ts";
import { formatOpen, parseOpen } from "../../client/open-amount.ts";
import { transfer } from "../../client/transfer.ts";
import { accountOf, openSigner, resolveLeaf, signFor } from "./context.ts";
import { FORCED_OPTION, followForced } from "./forced-operation.ts";
import { onRun, waitWithProgress, withExample, withWait } from "./run-command.ts";

export function addTransferCommand(program: Command): void {
  const command = program
    .command("transfer <to> <amount>")
    .description("move OPEN inside the ledger; the payee is a leaf id, an account's name or an address")
    .option("--from <leaf>", "the leaf that pays; default: the account's")
    .option(...FORCED_OPTION);
  withWait(command, "acknowledged");
  withExample(
    command,
    "transfer bob 1.5 --account alice",
    "transfer 7 250wei --account alice --wait posted",
    "transfer bob all --forced --account alice",
  );
  onRun<{ from?: string; forced?: boolean; wait: string }>(command, async ({ options, args, output }) => {
    // A signed transfer of everything would not leave what pays its own fee.
    const wanted = options.forced === true && args[1] === "all" ? "all" : parseOpen(args[1]!);
    const signer = await openSigner(options);
    const [payee, payer] = await Promise.all([
      resolveLeaf(signer.client, options, args[0]!),
      options.from === undefined
        ? accountOf(signer.client, signer.account.l1.address)
        : resolveLeaf(signer.client, options, options.from),
    ]);
    const from = `from leaf ${payer.id} to leaf ${payee.id} of ${payee.l1Owner}`;
    if (options.forced === true || wanted === "all") {
      output.progress("sending the transfer to L1's queue");
      const sent = await forceTransfer(signer.client, {
        id: payer.id,
        to: payee.id,
        amountWei: wanted,
        expectedOwner: payee.l1Owner,
      });
      const what = `${wanted === "all" ? "everything" : `${formatOpen(wanted)} OPEN`} ${from}`;
      const { facts, lines } = await followForced(signer, { what, sent, wait: options.wait }, output);
      output.answer(lines, { from: payer.id, to: payee.id, amountWei: wanted, ...facts });
      return;
    }
    const amountWei = wanted;
    const client = await signFor(signer, payer);
    const sent = await transfer(client, {
      from: payer.id,
      to: payee.id,
      amountWei,
      expectedOwner: payee.l1Owner,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const lines = [
      `${formatOpen(amountWei)} OPEN ${from}: ${stage}`,
      `operation ${sent.hash}, number ${sent.receipt?.opIndex ?? "not given yet"}; the receipt's signature is the sequencer's`,
    ];
    output.answer(lines, { ...sent, to: payee.id, amountWei, stage, batchNumber });
  });
}
