/** `openledger transfer`: moves OPEN between leaves. */
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { transferOpen } from "@openledger/client/tasks/transfer-open";
import { accountOf, openSigner, resolveLeaf, signFor } from "../../cli/context.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";

export const addTransferCommand = command({
  usage: "transfer <to> <amount>",
  about: "move OPEN inside the ledger; the recipient is a leaf id, an account's name or an address",
  options: {
    "--from <leaf>": "leaf that pays; default: the account's",
    ...WAIT_OPTION,
  },
  examples: ["transfer bob 1.5 --account alice", "transfer 7 250wei --account alice --wait posted"],
  forcedAs: "force transfer to=LEAF amount=AMOUNT",
  run: async ({ options, args, output }) => {
    const [to, amount] = args as [string, string];
    const amountWei = parseOpen(amount);
    const signer = await openSigner(options);
    const [recipient, payer] = await Promise.all([
      resolveLeaf(signer.client, options, to),
      options.from === undefined
        ? accountOf(signer.client, signer.account.l1.address)
        : resolveLeaf(signer.client, options, options.from),
    ]);
    const client = await signFor(signer, payer);
    const sent = await transferOpen(client, {
      from: payer.id,
      to: recipient.id,
      amountWei,
      expectedOwner: recipient.l1Owner,
    });
    const { stage, batchNumber } = await waitWithProgress(client, { hash: sent.hash }, options.wait, output);
    const lines = [
      `${formatOpen(amountWei)} OPEN from leaf ${payer.id} to leaf ${recipient.id} of ${recipient.l1Owner}: ${stage}`,
      `operation ${sent.hash}, ${sent.preconfirmation === null ? "without a preconfirmation" : `number ${sent.preconfirmation.opIndex}; the sequencer signed its preconfirmation`}`,
    ];
    output.answer(lines, { ...sent, to: recipient.id, amountWei, stage, batchNumber });
  },
});
