/** `openledger transfer`: moves OPEN between leaves, signed or forced through L1. */
import { transfer } from "@openledger/client/actions/ledger/account-operations";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { accountOf, openSigner, resolveLeaf, signFor } from "../../cli/context.ts";
import { command, waitWithProgress } from "../../cli/run-command.ts";
import { FORCED_OPTIONS } from "./forced-operation.ts";

export const addTransferCommand = command({
  usage: "transfer <to> <amount>",
  about: "move OPEN inside the ledger; the recipient is a leaf id, an account's name or an address",
  options: {
    "--from <leaf>": "leaf that pays; default: the account's",
    ...FORCED_OPTIONS,
  },
  examples: [
    "transfer bob 1.5 --account alice",
    "transfer 7 250wei --account alice --wait posted",
    "transfer bob all --forced --account alice",
    "transfer 7 all --forced --rpc https://… --rollup 0x… --private-key-file key",
  ],
  run: async ({ options, args, output }) => {
    const [to, amount] = args as [string, string];
    const isForced = options.forced === true;
    // A signed transfer of everything would not leave what pays its own fee.
    const amountWei = isForced && amount === "all" ? "all" : parseOpen(amount);
    const signer = await openSigner(options);
    if (isForced || amountWei === "all") {
      const { transferThroughL1 } = await import("./forced-transfer.ts");
      return transferThroughL1(signer, { from: options.from, to, amountWei }, options, output);
    }
    const [recipient, payer] = await Promise.all([
      resolveLeaf(signer.client, options, to),
      options.from === undefined
        ? accountOf(signer.client, signer.account.l1.address)
        : resolveLeaf(signer.client, options, options.from),
    ]);
    const client = await signFor(signer, payer);
    const sent = await transfer(client, {
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
