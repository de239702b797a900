/** `openledger withdraw`: takes OPEN out of the ledger, signed or forced through L1; `finalize-withdrawal` pays it out. */
import { withdraw } from "@openledger/client/actions/ledger/account-operations";
import { estimateFees, likelyFeeWei } from "@openledger/client/sequencer/fees";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import { accountOf, openSigner, parseAddress, resolveLeaf, signFor } from "../../cli/context.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";
import { MAX_FEE_OPTION, UNCHECKED_OPTION } from "./forced-operation.ts";

export const addWithdrawCommand = command({
  usage: "withdraw <amount>",
  about:
    'withdraw OPEN from the ledger ("all" for everything); finalize the withdrawal on L1 once its batch is posted',
  options: {
    "--from <leaf>": "leaf that pays; default: the account's",
    "--recipient <address>": "address that receives it on L1; default: the account's",
    "--forced":
      "through the L1 queue, which no sequencer can leave out; burns the queue's fee. Needs only --rpc and --rollup, no sequencer",
    ...UNCHECKED_OPTION,
    ...MAX_FEE_OPTION,
    ...WAIT_OPTION,
  },
  examples: [
    "withdraw 5 --account alice --wait finalizable",
    "withdraw all --forced --account alice",
    "withdraw all --forced --rpc https://… --rollup 0x… --private-key-file key",
  ],
  run: async ({ options, args, output }) => {
    const [text] = args as [string];
    const amount = text === "all" ? "all" : parseOpen(text);
    const signer = await openSigner(options);
    const recipient =
      options.recipient === undefined ? signer.account.l1.address : parseAddress(options.recipient);
    if (options.forced === true) {
      // Loaded here: the bridge would make every other command slower.
      const { withdrawThroughL1 } = await import("./forced-withdrawal.ts");
      return withdrawThroughL1(signer, { from: options.from, amountWei: amount, recipient }, options, output);
    }
    const leaf =
      options.from === undefined
        ? await accountOf(signer.client, signer.account.l1.address)
        : await resolveLeaf(signer.client, options, options.from);
    const client = await signFor(signer, leaf);
    const amountWei = amount === "all" ? await balanceLessFee(client, leaf.balanceWei) : amount;
    const sent = await withdraw(client, { from: leaf.id, amountWei, recipient });
    const { stage, batchNumber } = await waitWithProgress(
      client,
      { withdrawal: { hash: sent.hash } },
      options.wait,
      output,
    );
    const lines = [
      `${formatOpen(amountWei)} OPEN from leaf ${leaf.id} for ${recipient}: ${stage}`,
      `operation ${sent.hash}, number ${sent.preconfirmation?.opIndex ?? "not given yet"}; finalize it with: openledger finalize-withdrawal`,
    ];
    output.answer(lines, { ...sent, leafId: leaf.id, amountWei, recipient, stage, batchNumber });
  },
});

async function balanceLessFee(client: SequencerAccess, balanceWei: bigint): Promise<bigint> {
  const feeWei = likelyFeeWei(await estimateFees(client), "withdraw");
  return balanceWei > feeWei ? balanceWei - feeWei : 0n;
}
