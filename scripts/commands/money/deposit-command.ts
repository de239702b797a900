/** `openledger deposit`: brings OPEN from L1 into a leaf, and waits for the stage that --wait names. */
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { depositOpen } from "@openledger/client/tasks/deposit-open";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { accountOf, openSigner, resolveLeaf } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { MAX_FEE_OPTION, maxFeeOf } from "./max-fee.ts";

export const addDepositCommand = command({
  usage: "deposit <amount>",
  about:
    "bring OPEN from L1 into the ledger: to the account's leaf, or to a new one if it has none, which also burns the id fee",
  options: {
    "--to <leaf>": "leaf that receives it: an id, an account's name or an address; default: the account's",
    "--new": "open a new leaf, even if the account has one",
    "--approve": "allow the transfer by an approval transaction, not by a signed permit",
    ...MAX_FEE_OPTION,
    ...WAIT_OPTION,
  },
  examples: ["deposit 12.5 --account alice", "deposit 100 --account alice --to bob"],
  run: async ({ options, args, output }) => {
    const amountWei = parseOpen(args[0]!);
    const { client, account } = await openSigner(options);
    const permission = options.approve === true ? ("approve" as const) : ("permit" as const);
    const leaf = options.to === undefined ? null : await resolveLeaf(client, options, options.to);
    output.progress("sending the deposit to L1");
    const sent = await depositOpen(client, {
      amountWei,
      permission,
      ...maxFeeOf(options),
      ...(leaf === null ? { isNew: options.new === true } : { to: leaf.id, expectedOwner: leaf.l1Owner }),
    });
    const { stage, batchNumber } = await waitWithProgress(
      client,
      { queueIndex: sent.queueIndex },
      options.wait,
      output,
    );
    const leafId = sent.to ?? (await accountOf(client, account.l1.address).catch(noneYet))?.id ?? null;
    const lines = [
      `${formatOpen(amountWei)} OPEN for ${leafId === null ? "a new account" : `leaf ${leafId}`}: ${stage}${batchNumber === null ? "" : `, batch ${batchNumber}`}`,
      `L1 transaction ${sent.transactionHash}, ${describeGas(sent)}, ${formatOpen(sent.burnedFeeWei)} OPEN burned, queue entry ${sent.queueIndex}`,
    ];
    output.answer(lines, {
      amountWei,
      leafId,
      stage,
      batchNumber,
      queueIndex: sent.queueIndex,
      transactionHash: sent.transactionHash,
      gasUsed: sent.gasUsed,
      gasCostWei: sent.gasCostWei,
      burnedFeeWei: sent.burnedFeeWei,
    });
  },
});

/** A first deposit opens the account; several accounts ask for --to or --new. */
function noneYet(error: unknown): null {
  if (isRollupError(error, "CLI_LEAF_NOT_FOUND")) return null;
  throw error;
}
