/**
 * Forced operations: their checks, the one against a ledger rebuilt from L1 included, and their entries in L1's queue, one after the
 * other. The command, the pages and the devnet draw it; the rebuilt ledger is verifier/'s, which the caller passes as a check.
 */
import type { EntryRequest } from "@openledger/circuits/ledger/operation";
import type { Address } from "viem";
import { type ForceErrorCode, type ForceParameters, force } from "../actions/forced/force.ts";
import { type ForceableOperation, forcedEntry } from "../actions/forced/forced-operation.ts";
import type { QueueResult } from "../actions/forced/queue-result.ts";
import { refuseRollup } from "../actions/l1/refuse-rollup.ts";
import { type LedgerClient, requireWallet } from "../ledger-client.ts";
import { requireAmount, requireOwner, requireUsableKey } from "./before-signing.ts";

type QueueFields = Omit<ForceParameters, "type" | "id">;

export interface ForceOperationsParameters
  extends Pick<
    QueueFields,
    "maxFeeWei" | "nonce" | "onProposed" | "onSent" | "onSigned" | "permission" | "timeoutMs"
  > {
  /** Operations in the order in which they are queued. Each burns the queue's fee. */
  operations: readonly ForceableOperation[];
  /**
   * Requires that the entries have an effect on the ledger that L1 has, each after the ones before it, and says whether it looked:
   * `checkForced` of verifier/. The contract knows no leaves, and burns the fee of an entry without effect. Absent: nothing is checked.
   */
  check?: (entries: readonly EntryRequest[], owner: Address) => Promise<boolean>;
  onProgress?: (progress: ForceProgress) => void;
}
/** Step of the task. `index`: of the operation that is sent. */
export type ForceProgress =
  | { readonly step: "checking" }
  | { readonly step: "sending"; readonly index: number; readonly operation: ForceableOperation };

export interface ForceOperationsReturnType {
  /** Entries of L1's queue, in the operations' order. */
  readonly entries: readonly QueueResult[];
  /** True if the check has shown that they have an effect. */
  readonly isChecked: boolean;
}
export type ForceOperationsErrorCode = ForceErrorCode;

/** Operations into whose entries L1 puts the time of its block. */
const TIMED = new Set<ForceableOperation["type"]>(["approveModel", "closeEpoch"]);

/**
 * Checks operations as their owner, then puts them into L1's queue, which no sequencer can leave out.
 * @throws CLI_INPUT_INVALID for an amount, key, owner or recipient that makes no sense; CLI_NOT_CONFIGURED without a wallet; what
 *   `check` throws; CLI_TOKEN_BALANCE_TOO_LOW, CLI_QUEUE_FEE_TOO_HIGH, CLI_WALLET_UNSUPPORTED,
 *   CON_L1_COST_ABOVE_CAP, CLI_L1_REVERTED, CLI_L1_REFUSED, CLI_UNREACHABLE
 * @example
 * ```ts
 * const operations = [{ type: "withdraw", id: 7, amountWei: "all" }] as const;
 * const { entries } = await forceOperations(client, { operations });
 * await waitFor(client, { withdrawal: { queueIndex: entries[0]!.queueIndex } }, "final");
 * ```
 */
export async function forceOperations(
  client: LedgerClient,
  { check, onProgress, operations, ...queueOptions }: ForceOperationsParameters,
): Promise<ForceOperationsReturnType> {
  const { address: owner } = requireWallet(client).account;
  for (const operation of operations) requireSense(client, operation);
  // The contract puts the time of the entry's block into it: no earlier than this one's.
  const l1Seconds = operations.some(({ type }) => TIMED.has(type))
    ? (await client.l1.getBlock()).timestamp
    : undefined;
  onProgress?.({ step: "checking" });
  const requests = operations.map((operation) => forcedEntry(operation, owner, l1Seconds));
  const isChecked = check === undefined ? false : await check(requests, owner);
  const entries: QueueResult[] = [];
  for (const [index, operation] of operations.entries()) {
    onProgress?.({ step: "sending", index, operation });
    entries.push(await force(client, { ...operation, ...queueOptions }));
  }
  return { entries, isChecked };
}

/** Refuses what has an effect and helps nobody. @throws CLI_INPUT_INVALID */
function requireSense(client: LedgerClient, operation: ForceableOperation): void {
  switch (operation.type) {
    case "transfer":
    case "payInference":
    case "withdraw":
      if (operation.amountWei !== "all") requireAmount(operation.amountWei);
      if (operation.type === "withdraw" && operation.recipient !== undefined)
        refuseRollup(client, operation.recipient);
      break;
    case "setKey":
      requireUsableKey(operation.keyX);
      break;
    case "setOwner":
      requireOwner(client, operation.newOwner);
      break;
    default:
  }
}
