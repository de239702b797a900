/**
 * Balances of the connected address (in wei) from Ethereum and the sequencer, and the check of the one against the other.
 * poll-once.ts calls it.
 */

import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import { type LedgerClient, rollupContract } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import { getProvenLeaf } from "@openledger/client/sequencer/proven-leaf";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { problemOf } from "../words/problem.tsx";
import { type BalanceCheck, chosenLeafId, holdings } from "./holdings.ts";
import type { Session } from "./session.ts";

/** @throws CLI_UNREACHABLE, CLI_SEQUENCER_… */
export async function refreshHoldings({ address, client }: Session): Promise<void> {
  const contract = rollupContract(client);
  const feeWei = (isNew: boolean) =>
    client.l1.readContract({ ...contract, functionName: "depositFeeWei", args: [isNew] });
  const [l1, leaves, newFeeWei, existingFeeWei, minDepositWei, forcedFeeWei] = await Promise.all([
    getL1Balances(client, address),
    findLeaves(client, { owner: address }),
    feeWei(true),
    feeWei(false),
    client.l1.readContract({ ...contract, functionName: "minDepositWei" }),
    client.l1.readContract({ ...contract, functionName: "queueFeeWei" }),
  ]);
  const accounts = leaves.filter(({ kind }) => kind === "account");
  const account = accounts.find(({ id }) => id === chosenLeafId.value) ?? accounts[0];
  const checked = account === undefined ? null : await checkLeaf(client, account, address);
  holdings.value = {
    address,
    l1,
    accounts,
    checked,
    depositFeesWei: { new: newFeeWei, existing: existingFeeWei },
    minDepositWei,
    forcedFeeWei,
  };
}

async function checkLeaf(
  client: LedgerClient,
  { id, postedBalanceWei }: LedgerLeaf,
  address: string,
): Promise<BalanceCheck | null> {
  // No batch on Ethereum has it yet.
  if (postedBalanceWei == null) return null;
  const before = holdings.value?.checked ?? null;
  try {
    const proven = await getProvenLeaf(client, id);
    // An owner that changed lately is on its way to L1; so is a batch that this node does not have yet.
    if (proven === null || proven.leaf.l1Owner !== BigInt(address)) return null;
    const { leaf, batchNumber } = proven;
    return { id, batchNumber, balanceWei: leaf.balance };
  } catch (error) {
    if (isRollupError(error, "CLI_LEAF_UNPROVEN")) return { id, problem: problemOf(error) };
    if (isRollupError(error, "OP_UNKNOWN_LEAF")) return null;
    return before?.id === id ? before : null;
  }
}
