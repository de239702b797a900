/** Ledger as L1 alone gives it, and the contract's debts. It trusts nothing of a sequencer's. */

import { createL1Client, type L1Client } from "@openledger/bridge/l1/l1-client";
import { type HistoryEvent, readL1History } from "@openledger/bridge/l1/l1-history";
import { readRollupLogs } from "@openledger/bridge/l1/log-reader";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { openTokenAbi, rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import { blockReader } from "@openledger/verifier/replay/block-reader";
import { LedgerReplay } from "@openledger/verifier/replay/ledger-replay";
import { type VerifyOptions, verifyRollup } from "@openledger/verifier/replay/verify";
import type { Address } from "viem";

/** @throws BRG_VERIFY_DIFFERS if a batch, a proof, a key or one of the contract's sums is not as it must be */
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

/** Reads the contract's funds and its debts: the ledger, credits not yet paid out, deposits on their way, fees to burn. */
export async function readSolvency(
  rpcUrl: string,
  { rollupAddress, tokenAddress }: { readonly rollupAddress: Address; readonly tokenAddress: Address },
): Promise<{ heldWei: bigint; owedWei: bigint }> {
  const l1 = createL1Client({ rpcUrl });
  // Of one block: people may go on meanwhile.
  const blockNumber = await l1.getBlockNumber();
  const creditors = await creditorsOf(l1, rollupAddress, blockNumber);
  const rollup = { address: rollupAddress, abi: rollupAbi, blockNumber } as const;
  const token = { address: tokenAddress, abi: openTokenAbi, blockNumber } as const;
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

const MAX_CHUNK_BLOCKS = 2_000;

/** Everybody whom the contract has ever credited: by a batch, an exit or a refund. */
async function creditorsOf(client: L1Client, address: Address, toBlock: bigint): Promise<Address[]> {
  const found = new Set<Address>();
  const range = { client, address, fromBlock: 0n, toBlock, maxChunkBlocks: MAX_CHUNK_BLOCKS };
  for await (const { logs } of readRollupLogs(range)) {
    for (const { args, eventName } of logs) {
      if (eventName === "WithdrawalCredited" || eventName === "Exited") found.add(args.recipient);
      if (eventName === "EntryRefunded") found.add(args.sender);
    }
  }
  return [...found];
}
