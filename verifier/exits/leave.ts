/**
 * Withdrawal of money from a frozen rollup: the ledger is rebuilt from L1, exits are proven here, and the
 * contract credits and pays. It needs only an L1 node. Every step reads L1 first, so an interrupted one is
 * simply run again: credited amounts are not requested twice. `openledger exit` and the exit page call it.
 */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { ExitContract } from "@openledger/bridge/l1/exit-contract";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { type L1Sender, RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { type MalformedBatch, malformedOf } from "@openledger/bridge/l1/submission/malformed-batch";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { toContractEntry } from "@openledger/circuits/ledger/operation";
import { gasCostWei, type SpendingCap } from "@openledger/contracts/l1/capped-transaction";
import { type Address, getAddress, type Hex, type TransactionReceipt } from "viem";
import type { LedgerReplay } from "../replay/ledger-replay.ts";
import type { LedgerSnapshot } from "../replay/ledger-snapshot.ts";
import { type RestoredLedger, restoreLedger } from "../restore/restore-ledger.ts";
import { verifierError } from "../verifier-errors.ts";
import {
  type DepositItem,
  type ExitItem,
  type ExitSelection,
  type ProvenItem,
  planExits,
} from "./exit-plan.ts";
import { requireOvertaken } from "./overtaken.ts";
import { checkExitKeys, type ExitProver, type ProvenExit, proveExits } from "./prove-exits.ts";

/**
 * Each further exit costs 59,000 gas, so this is far below a transaction's limit. A kill loses half a minute of
 * proving.
 */
const EXITS_PER_CALL = 16;
const REFUNDS_PER_CALL = 64;
const PROGRESS_INTERVAL_MS = 2_000;

export interface LeaveOptions extends LeaveSteps {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Cap on the account's spending. Default: RollupContract's. */
  readonly spendingCap?: SpendingCap | undefined;
  /** Source of the batches' blobs. Default: none. */
  readonly blobs?: BlobSource | undefined;
}

export interface LeaveSteps {
  /** Block of the rollup's deployment. Default: it is searched for. */
  readonly fromBlock?: bigint | undefined;
  /** Start of the replay instead of the genesis, once L1 is found to have accepted its root. */
  readonly snapshot?: LedgerSnapshot | undefined;
  readonly selection: ExitSelection;
  /** Account that pays for the transactions, anybody's; null plans without sending. */
  readonly account: L1Sender | null;
  readonly prover: ExitProver;
  /** Checks first that the keys for all proofs are here. */
  readonly isKeyCheck?: boolean;
  readonly onProgress: (text: string) => void;
  /** Called with the ledger that was rebuilt, for further questions to it. */
  readonly onRestored?: (restored: RestoredLedger) => void;
}

export interface LeaveTransaction {
  readonly action: "exit" | "refund" | "payout";
  /** Exits or refunds in it; 1 for a payout. */
  readonly count: number;
  /** Amount that the transaction credited or paid out, in wei. */
  readonly amountWei: bigint;
  readonly transactionHash: Hex;
  readonly gasUsed: number;
  /** Cost of the transaction in wei of ether. */
  readonly gasCostWei: bigint;
}

export interface LeaveResult {
  readonly isFrozen: boolean;
  readonly root: bigint;
  readonly batchNumber: number;
  readonly blockNumber: bigint;
  /** Batches that break the ledger's rules, with a known effect: the root follows from it. */
  readonly malformedBatches: readonly MalformedBatch[];
  /** Items as they were before. */
  readonly items: readonly ExitItem[];
  /** Finalizable on L1 before, by owners of the items and the selected owner. */
  readonly pending: readonly { readonly owner: Address; readonly amountWei: bigint }[];
  /** Circuits whose keys were checked and are the registered ones. */
  readonly checkedKeys: readonly string[];
  readonly transactions: readonly LeaveTransaction[];
  readonly gasUsed: number;
  /** Ether that the transactions have cost. */
  readonly gasCostWei: bigint;
  /** OPEN that this run's payouts have moved to their owners. */
  readonly paidWei: bigint;
}

export type LeaveErrorCode =
  | "CLI_EXIT_UNAVAILABLE"
  | "CLI_CIRCUIT_MISSING"
  | "CLI_KEYS_DIFFER"
  | `PRV_${string}`
  | `BRG_${string}`;

/**
 * Takes what is owed out of a frozen rollup.
 * @throws CLI_EXIT_UNAVAILABLE if there is an account to act with; CLI_CIRCUIT_MISSING, CLI_KEYS_DIFFER, PRV_*,
 * BRG_BATCH_MALFORMED where a batch's effect is not known, BRG_CONTRACT_REVERTED, BRG_VERIFY_DIFFERS, BRG_L1_*
 * @example
 * ```ts
 * const prover = localExitProver({ open: () => createProver("wasm"), keysFolder: "./keys" });
 * const selection = { owner: account.address };
 * // Without an account it only looks.
 * const { items } = await leave({ rpcUrl, rollupAddress, account: null, selection, prover, onProgress: console.log });
 * ```
 */
export async function leave(options: LeaveOptions): Promise<LeaveResult> {
  const client = createPatientL1Client({ rpcUrl: options.rpcUrl });
  const { blobs, rollupAddress: address, spendingCap } = options;
  return leaveRollup(new RollupContract({ client, address, spendingCap, blobs }), options);
}

/**
 * Follows `leave` with an L1 client of the caller's.
 * @throws as leave
 * @internal
 */
export async function leaveRollup(rollup: RollupContract, options: LeaveSteps): Promise<LeaveResult> {
  await initPoseidon();
  const { account, onProgress, selection } = options;
  const { isFrozen } = await rollup.state();
  if (account !== null && !isFrozen)
    throw verifierError("CLI_EXIT_UNAVAILABLE", `the rollup ${rollup.address} is not frozen`, {
      data: { reason: "not-frozen" },
    });
  onProgress("rebuilding the ledger from L1");
  let toldAtMs = Date.now();
  const malformedBatches: MalformedBatch[] = [];
  const restored = await restoreLedger(rollup, {
    fromBlock: options.fromBlock,
    snapshot: options.snapshot,
    // Anyone who leaves needs the leaves of L1's root, even if a malformed batch made that root.
    onMalformed: (error) => {
      malformedBatches.push(malformedOf(error)!);
      onProgress(error.message);
    },
    onEvent: (event) => {
      if (event.type !== "batch" || Date.now() - toldAtMs < PROGRESS_INTERVAL_MS) return;
      toldAtMs = Date.now();
      onProgress(`rebuilding the ledger from L1: batch ${event.batch.batchNumber}`);
    },
  });
  options.onRestored?.(restored);
  const { replay } = restored;
  const items = planExits(replay, selection);
  const owners = ownersOf(items, selection, replay);
  const pending: { owner: Address; amountWei: bigint }[] = [];
  for (const owner of owners) {
    // The contract is asked: a ledger that goes on from a snapshot does not know what was credited before.
    const amountWei = await rollup.pendingWithdrawalWei(owner);
    if (amountWei > 0n) pending.push({ owner, amountWei });
  }
  const checkedKeys =
    options.isKeyCheck === true
      ? await checkExitKeys(items.filter(isProven), restored, options.prover, onProgress)
      : [];
  const transactions =
    account === null ? [] : await takeAll({ ...options, account, restored, rollup, items, owners });
  const { root, batchNumber } = restored.state;
  return {
    isFrozen,
    root,
    batchNumber,
    blockNumber: restored.blockNumber,
    malformedBatches,
    items,
    pending,
    checkedKeys,
    transactions,
    gasUsed: transactions.reduce((sum, { gasUsed }) => sum + gasUsed, 0),
    gasCostWei: transactions.reduce((sum, { gasCostWei: wei }) => sum + wei, 0n),
    paidWei: transactions.reduce(
      (sum, { action, amountWei }) => (action === "payout" ? sum + amountWei : sum),
      0n,
    ),
  };
}

const isProven = (item: ExitItem): item is ProvenItem => item.kind !== "deposit";

/** Owners of the items, and, if all owners are selected, everyone with a credit in L1's records. */
function ownersOf(items: readonly ExitItem[], selection: ExitSelection, { totals }: LedgerReplay): Address[] {
  const { leafId, owner } = selection;
  const owners = new Set(items.map((item) => item.owner));
  if (owner !== null) owners.add(owner);
  else if (leafId === undefined)
    for (const credited of totals.pendingWei.keys()) owners.add(getAddress(credited));
  return [...owners];
}

interface TakeOptions extends LeaveSteps {
  readonly account: L1Sender;
  readonly restored: RestoredLedger;
  readonly rollup: RollupContract;
  readonly items: readonly ExitItem[];
  readonly owners: readonly Address[];
}

async function takeAll(options: TakeOptions): Promise<LeaveTransaction[]> {
  const { account, items, onProgress, owners, prover, restored, rollup } = options;
  const contract = new ExitContract(rollup);
  const done: LeaveTransaction[] = [];
  const open = items.filter(({ isTaken }) => !isTaken);
  // Items that need no proof go first.
  const deposits = open.filter((item): item is DepositItem => item.kind === "deposit");
  for (const group of groupsOf(deposits, REFUNDS_PER_CALL)) {
    onProgress(`sending ${group.length} refunds to L1`);
    done.push(...(await sendRefunds(contract, account, group, restored.replay)));
  }
  // The largest amounts go first. Attack: anybody can leave tiny amounts for anybody, so that the ether for gas runs out.
  const proven = open
    .filter(isProven)
    .sort((x, y) => (x.amountWei < y.amountWei ? 1 : x.amountWei > y.amountWei ? -1 : 0));
  let failure: unknown = null;
  try {
    for (const [i, group] of groupsOf(proven, EXITS_PER_CALL).entries()) {
      const first = i * EXITS_PER_CALL;
      const closed = await proveExits(group, restored, prover, (position, text) =>
        onProgress(`exit ${first + position + 1} of ${proven.length}: ${text}`),
      );
      onProgress(`sending ${closed.length} exits to L1`);
      done.push(...(await sendExits(contract, account, closed)));
    }
  } catch (error) {
    // Credited amounts are paid out all the same.
    failure = error;
  }
  for (const owner of owners) {
    const amountWei = await rollup.pendingWithdrawalWei(owner);
    if (amountWei === 0n) continue;
    onProgress(`paying out to ${owner}`);
    try {
      done.push(transaction("payout", 1, amountWei, await rollup.finalizeWithdrawal(account, owner)));
    } catch (error) {
      // Anybody may finalize for anybody: then it is paid out.
      await requireOvertaken(
        error,
        "RollupNothingToFinalize",
        async () => (await rollup.pendingWithdrawalWei(owner)) === 0n,
      );
    }
  }
  if (failure !== null) throw failure;
  return done;
}

/** Sends all exits in one call. If somebody else was faster with one of them, it sends the rest. */
async function sendExits(
  contract: ExitContract,
  account: L1Sender,
  closed: readonly ProvenExit[],
): Promise<LeaveTransaction[]> {
  const stillOwed = async (exits: readonly ProvenExit[]) => {
    const isDone = await Promise.all(exits.map(({ exit }) => contract.isExited(exit.key)));
    return exits.filter((_, i) => !isDone[i]);
  };
  let rest = await stillOwed(closed);
  while (rest.length > 0) {
    try {
      const exits = rest.map(({ exit }) => exit);
      const receipt = await contract.exit(
        account,
        exits,
        rest.map(({ proof }) => proof),
      );
      return [transaction("exit", rest.length, sumOf(exits), receipt)];
    } catch (error) {
      const sent = rest;
      await requireOvertaken(error, "ExitDone", async () => {
        rest = await stillOwed(sent);
        return rest.length < sent.length;
      });
    }
  }
  return [];
}

async function sendRefunds(
  contract: ExitContract,
  account: L1Sender,
  deposits: readonly DepositItem[],
  replay: LedgerReplay,
): Promise<LeaveTransaction[]> {
  const stillWaiting = async (items: readonly DepositItem[]) => {
    const queuedAt = await Promise.all(items.map(({ queueIndex }) => contract.queuedAtSeconds(queueIndex)));
    return items.filter((_, i) => queuedAt[i] !== null);
  };
  let rest = await stillWaiting(deposits);
  while (rest.length > 0) {
    const entries = rest.map(({ queueIndex }) => {
      const entry = replay.entries[queueIndex]!;
      return { index: BigInt(queueIndex), entry: toContractEntry(entry), sender: entry.sender };
    });
    try {
      return [transaction("refund", rest.length, sumOf(rest), await contract.refund(account, entries))];
    } catch (error) {
      const sent = rest;
      await requireOvertaken(error, "RefundEntryUnknown", async () => {
        rest = await stillWaiting(sent);
        return rest.length < sent.length;
      });
    }
  }
  return [];
}

const sumOf = (parts: readonly { readonly amountWei: bigint }[]) =>
  parts.reduce((sum, { amountWei }) => sum + amountWei, 0n);

function transaction(
  action: LeaveTransaction["action"],
  count: number,
  amountWei: bigint,
  receipt: TransactionReceipt,
): LeaveTransaction {
  const { gasUsed, transactionHash } = receipt;
  const cost = { gasUsed: Number(gasUsed), gasCostWei: gasCostWei(receipt) };
  return { action, count, amountWei, transactionHash, ...cost };
}

function groupsOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(size * i, size * (i + 1)),
  );
}
