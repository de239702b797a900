/**
 * `openledger migrate`: moves an account's OPEN to the rollup that a vote has named, if that was built from this version's
 * sources.
 */
import { namedRollup } from "@openledger/client/governance/migrate";
import { deriveKey } from "@openledger/client/l2-key";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { type MigrateProgress, migrateAccount } from "@openledger/client/tasks/migrate";
import { compilerInput } from "@openledger/contracts/build/compile";
import { getAddress } from "viem";
import { REGISTRY_OPTION } from "../../cli/common-options.ts";
import { accountOf, openSigner, resolveEndpoints, signFor, spendingCapOf } from "../../cli/context.ts";
import { command } from "../../cli/run-command.ts";
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
    const isOnL1Alone = here.sequencerUrl === null;
    if (isOnL1Alone)
      output.progress("no sequencer is used: this moves what `force withdraw` or `exit` has credited");
    const leaf = isOnL1Alone ? null : await accountOf(here, account.l1.address);
    const client = leaf === null ? here : await signFor(signer, leaf);
    const moved = await migrateAccount(client, {
      ...{ there, named },
      sourcesHash: options.unchecked === true ? null : `0x${contentHash}`,
      ...(options.amount === undefined ? {} : { amountWei: parseOpen(options.amount) }),
      onProgress: (progress) => output.progress(wordsOf(progress)),
    });
    output.answer(
      [
        `${formatOpen(moved.depositedWei)} OPEN wait in the queue of ${rollupAddress}, entry ${moved.queueIndex}`,
        "datanets, models and rewards stay where they are: claim before you move, and publish there again",
      ],
      { moved, named },
    );
  },
});

const STEPS: Readonly<Record<MigrateProgress["step"], string>> = {
  withdrawing: "withdrawing here",
  waiting: "waiting for the withdrawal's batch",
  moving: "finalizing here and depositing there",
};

const wordsOf = ({ step, wait }: MigrateProgress): string =>
  wait === undefined ? STEPS[step] : `${STEPS[step]}: ${wait.stage}`;
