/** The ledger as L1 alone gives it, and what the contract owes: nothing of a sequencer's is believed. */

import { createL1Client } from "@openledger/bridge/l1/l1-client";
import { type HistoryEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { blockReader } from "@openledger/verifier/replay/block-reader";
import { LedgerReplay } from "@openledger/verifier/replay/ledger-replay";
import { type VerifyOptions, verifyRollup } from "@openledger/verifier/replay/verify";
import type { Address } from "viem";

/** @throws BRG_VERIFY_DIFFERS where a batch, a proof, a key or one of the contract's sums is not as it must be */
export async function rebuildFromL1(options: Omit<VerifyOptions, "readHistory" | "verifyProof">) {
  const { rollupAddress, rpcUrl } = options;
  const events: HistoryEvent[] = [];
  const verified = await verifyRollup({
    ...options,
    verifyProof,
    readHistory: async function* (reading) {
      for await (const event of readL1History(reading)) {
        events.push(event);
        yield event;
      }
    },
  });
  // The same records once more, to have the leaves: the proofs were checked a moment ago.
  const client = createL1Client({ rpcUrl });
  const circuits = await new RollupContract({ client, address: rollupAddress }).circuits();
  const replay = new LedgerReplay(circuits, () => true, blockReader(client));
  for (const event of events) await replay.apply(event);
  return { verified, events, ledger: replay.requireLedger() };
}

/**
 * What the contract holds has to cover what it owes to the wei: the ledger, credits not yet paid out, deposits on their way,
 * fees to burn. @param creditors everybody who may have a credit
 */
export async function readSolvency(
  rpcUrl: string,
  { rollupAddress, tokenAddress }: { readonly rollupAddress: Address; readonly tokenAddress: Address },
  creditors: readonly Address[],
): Promise<{ heldWei: bigint; owedWei: bigint }> {
  const l1 = createL1Client({ rpcUrl });
  const rollup = { address: rollupAddress, abi: rollupAbi } as const;
  const token = { address: tokenAddress, abi: openTokenAbi } as const;
  const [heldWei, ledgerWei, burnableWei, [, queuedWei], ...pending] = await Promise.all([
    l1.readContract({ ...token, functionName: "balanceOf", args: [rollupAddress] }),
    l1.readContract({ ...rollup, functionName: "ledgerWei" }),
    l1.readContract({ ...rollup, functionName: "burnableWei" }),
    l1.readContract({ ...rollup, functionName: "queuedDeposits" }),
    ...creditors.map((owner) =>
      l1.readContract({ ...rollup, functionName: "pendingWithdrawals", args: [owner] }),
    ),
  ]);
  return { heldWei, owedWei: pending.reduce((sum, wei) => sum + wei, ledgerWei + burnableWei + queuedWei) };
}
