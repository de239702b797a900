/** `openledger withdraw`: takes OPEN out of the ledger; `finalize-withdrawal` pays it out. */
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { withdrawOpen } from "@openledger/client/tasks/withdraw-open";
import { accountOf, openSigner, parseAddress, resolveLeaf, signFor } from "../../cli/context.ts";
import { command, WAIT_OPTION, waitWithProgress } from "../../cli/run-command.ts";

export const addWithdrawCommand = command({
  usage: "withdraw <amount>",
  about:
    'withdraw OPEN from the ledger ("all" for everything); finalize the withdrawal on L1 once its batch is posted',
  options: {
    "--from <leaf>": "leaf that pays; default: the account's",
    "--recipient <address>": "address that receives it on L1; default: the account's",
    ...WAIT_OPTION,
  },
  examples: ["withdraw 5 --account alice --wait finalizable", "withdraw all --recipient 0x… --account alice"],
  forcedAs: "force withdraw amount=AMOUNT",
  run: async ({ options, args, output }) => {
    const [text] = args as [string];
    const amount = text === "all" ? ("all" as const) : parseOpen(text);
    const signer = await openSigner(options);
    const named = options.recipient === undefined ? {} : { recipient: parseAddress(options.recipient) };
    const leaf =
      options.from === undefined
        ? await accountOf(signer.client, signer.account.l1.address)
        : await resolveLeaf(signer.client, options, options.from);
    const client = await signFor(signer, leaf);
    const withdrawal = { from: leaf.id, amountWei: amount, ...named };
    const { amountWei, recipient, sent } = await withdrawOpen(client, withdrawal);
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
