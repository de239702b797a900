import type { Command } from "commander";
import { formatOpen, parseOpen } from "../../client/open-amount.ts";
import { transfer } from "../../client/transfer.ts";
import { accountOf, openSigner, resolveLeaf, signFor } from "./context.ts";
import { onRun, waitWithProgress, withExample, withWait } from "./run-command.ts";

export function addTransferCommand(program: Command): void {
  const command = program
    .command("transfer <to> <amount>")
    .description("move OPEN inside the ledger; the payee is a leaf id, an account's name or an address")
    .option("--from <leaf>", "the leaf that pays; default: the account's");
  withWait(command, "acknowledged");
  withExample(command, "transfer bob 1.5 --account alice", "transfer 7 250wei --account alice --wait posted");
  onRun<{ from?: string; wait: string }>(command, async ({ options, args, output }) => {
    const amountWei = parseOpen(args[1]!);
    const signer = await openSigner(options);
    const [payee, payer] = await Promise.all([
      resolveLeaf(signer.client, options, args[0]!),
      options.from === undefined
        ? accountOf(signer.client, signer.account.l1.address)
        : resolveLeaf(signer.client, options, options.from),
    ]);
    const client = await signFor(signer, payer);
    const sent = await transfer(client, {
      from: payer.id,
      to: payee.id,
      amountWei,
      expectedOwner: payee.l1Owner,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const lines = [
      `${formatOpen(amountWei)} OPEN from leaf ${payer.id} to leaf ${payee.id} of ${payee.l1Owner}: ${stage}`,
      `operation ${sent.hash}, number ${sent.receipt?.opIndex ?? "not given yet"}; the receipt's signature is the sequencer's`,
    ];
    output.answer(lines, { ...sent, to: payee.id, amountWei, stage, batchNumber });
  });
}
