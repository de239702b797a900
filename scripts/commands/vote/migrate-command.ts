/**
 * `openledger migrate`: moves an account's OPEN to the rollup that a vote has named, if that was built from this version's
 * sources.
 */
import { withdraw } from "@openledger/client/actions/ledger/account-operations";
import { movePaidOut, namedRollup, requireGoodRollup } from "@openledger/client/governance/migrate";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { estimateFees, likelyFeeWei } from "@openledger/client/sequencer/fees";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { compilerInput } from "@openledger/contracts/build/compile";
import { getAddress } from "viem";
import { REGISTRY_OPTION } from "../../cli/common-options.ts";
import {
  accountOf,
  openSigner,
  resolveEndpoints,
  type Signer,
  signFor,
  spendingCapOf,
} from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { command, waitWithProgress } from "../../cli/run-command.ts";
import { registryOf } from "./governed.ts";

export const addMigrateCommand = command({
  usage: "migrate",
  about: "move to the rollup that a vote named: withdraw here, finalize, deposit there",
  options: {
    ...REGISTRY_OPTION,
    "--amount <amount>": "OPEN to deposit from the wallet; default: what is paid out",
    "--unchecked": "also into a rollup with other sources than this version's",
  },
  examples: [
    "migrate --account alice",
    "migrate --registry 0x… --rpc https://… --rollup 0x… --private-key-file key",
  ],
  run: async ({ options, output }) => {
    const signer = await openSigner(options);
    const { account, client: here } = signer;
    const named = await namedRollup(here, registryOf(options, here.rollupAddress));
    if (getAddress(named.rollupAddress) === getAddress(here.rollupAddress)) {
      output.answer(["this is the rollup that was named last"], { moved: null, named });
      return;
    }
    const { rpcUrl } = resolveEndpoints(options);
    const rollupAddress = named.rollupAddress;
    const l2Key = await deriveKey({ wallet: account.l1, chainId: here.chain.id, rollupAddress });
    const wallet = { wallet: account.l1, l2Key, spendingCap: spendingCapOf(options) };
    const there = await createLedgerClient({ rpcUrl, rollupAddress, ...wallet });
    const { contentHash } = await compilerInput();
    if (options.unchecked !== true) await requireGoodRollup(here, there, named, `0x${contentHash}`);
    await withdrawAll(signer, output);
    output.progress("finalizing here and depositing there");
    const amount = options.amount === undefined ? {} : { amountWei: parseOpen(options.amount) };
    const moved = await movePaidOut(here, there, amount);
    output.answer(
      [
        `${formatOpen(moved.depositedWei)} OPEN wait in the queue of ${rollupAddress}, entry ${moved.queueIndex}`,
        "datanets, models and rewards stay where they are: claim before you move, and publish there again",
      ],
      { moved, named },
    );
  },
});

/** Withdraws everything that the account holds. Without a sequencer it does nothing: earlier withdrawals are moved then. */
async function withdrawAll(signer: Signer, output: Output): Promise<void> {
  const { account, client } = signer;
  if (client.sequencerUrl === null) {
    output.progress("no sequencer is used: this moves what `withdraw --forced` or `exit` has credited");
    return;
  }
  const leaf = await accountOf(client, account.l1.address);
  const amountWei = leaf.balanceWei - likelyFeeWei(await estimateFees(client), "withdraw");
  if (amountWei <= 0n) return;
  const owner = await signFor(signer, leaf);
  const { hash } = await withdraw(owner, { from: leaf.id, amountWei, recipient: account.l1.address });
  await waitWithProgress(owner, { withdrawal: { hash } }, "finalizable", output);
}
