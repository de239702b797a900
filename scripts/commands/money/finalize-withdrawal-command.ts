/** `openledger finalize-withdrawal`: pays out on L1 what posted withdrawals have credited to an address. */
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { finalizeWithdrawals } from "@openledger/client/tasks/withdraw-open";
import { OWNER_OPTION } from "../../cli/common-options.ts";
import { openSigner, parseAddress } from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { command } from "../../cli/run-command.ts";

export const addFinalizeWithdrawalCommand = command({
  usage: "finalize-withdrawal",
  about: "pay out posted withdrawals on L1",
  options: { ...OWNER_OPTION },
  examples: ["finalize-withdrawal --account alice"],
  run: async ({ options, output }) => {
    const { client, account } = await openSigner(options);
    const owner = options.owner === undefined ? account.l1.address : parseAddress(options.owner);
    output.progress("sending finalizeWithdrawal to L1");
    const { amountWei, transactionHash, gasUsed, gasCostWei } = await finalizeWithdrawals(client, { owner });
    const lines = [
      `${formatOpen(amountWei)} OPEN paid out to ${owner}`,
      `L1 transaction ${transactionHash}, ${describeGas({ gasUsed, gasCostWei })}`,
    ];
    output.answer(lines, { owner, amountWei, transactionHash, gasUsed, gasCostWei });
  },
});
