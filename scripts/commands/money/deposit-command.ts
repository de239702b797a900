/** `openledger deposit`: brings OPEN from L1 into a leaf, and waits for the stage that --wait names. */
import { deposit } from "@openledger/client/actions/l1/deposit";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "../../cli/cli-errors.ts";
import { accountOf, openSigner, resolveLeaf } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { MAX_FEE_OPTION, maxFeeOf } from "./forced-operation.ts";

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
    await requireOpen(client);
    output.progress("sending the deposit to L1");
    const sent = await deposit(client, {
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

/** The contract takes deposits whatever the operator plans; this command does not send them into a rollup that ends. */
async function requireOpen(client: LedgerClient): Promise<void> {
  if (client.sequencerUrl === null) return;
  const { mode } = await getStatus(client);
  if (mode === "sunset" || mode === "frozen" || mode === "malformed")
    throw commandError("CMD_ROLLUP_ENDS", `no deposit into a rollup that ends (${mode})`, { data: { mode } });
}

/** A first deposit opens the account; several accounts ask for --to or --new. */
function noneYet(error: unknown): null {
  if (isRollupError(error, "CLI_LEAF_NOT_FOUND")) return null;
  throw error;
}
