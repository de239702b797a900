import { hashLeaf, type Leaf } from "@openledger/circuits/ledger/leaf";
import { rootFromPath } from "@openledger/circuits/ledger/ledger-tree";
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Hex, parseEventLogs } from "viem";
import { clientError } from "../client-errors.ts";
import { type LedgerClient, rollupContract } from "../ledger-client.ts";
import { getBatch } from "./ledger-reads.ts";
import { requestSequencer } from "./sequencer-request.ts";
import { postedLeafSchema } from "./sequencer-schemas.ts";

export interface ProvenLeaf {
  readonly leaf: Leaf;
  /** The batch after which L1 holds the root that the leaf leads to. */
  readonly batchNumber: number;
}

/**
 * A leaf as L1 has it, checked here: the sequencer gives the leaf and its path, the contract the root.
 * @returns null where L1 does not have the batch yet that the sequencer calls posted
 * @throws CLI_LEAF_UNPROVEN where the path does not lead to that root; OP_UNKNOWN_LEAF, CLI_L1_UNREACHABLE
 */
export async function getProvenLeaf(client: LedgerClient, id: number): Promise<ProvenLeaf | null> {
  const { batchNumber, leaf, rows } = await requestSequencer(
    client,
    `/v1/leaves/${id}/path`,
    postedLeafSchema,
  );
  const elements = [...Object.values(leaf).map(BigInt), ...rows.flat()];
  const isInField = elements.every((element) => element < FIELD_ORDER);
  const root = await rootOnL1(client, batchNumber);
  if (root === null) return null;
  if (isInField && rootFromPath(id, hashLeaf(leaf), rows) === root) return { leaf, batchNumber };
  throw clientError(
    "CLI_LEAF_UNPROVEN",
    `the path of leaf ${id} does not lead to the root that L1 holds after batch ${batchNumber}`,
    { data: { id, batchNumber, root } },
  );
}

/** The root after a batch, by the contract or by the event of its transaction; null where L1 does not have the batch. */
async function rootOnL1(client: LedgerClient, batchNumber: number): Promise<bigint | null> {
  try {
    const state = await client.l1.readContract({ ...rollupContract(client), functionName: "state" });
    if (state.batchNumber === batchNumber) return state.root;
    if (state.batchNumber < batchNumber) return null;
    const batch = await getBatch(client, batchNumber);
    return batch?.l1TransactionHash == null
      ? null
      : await rootOfEvent(client, batch.l1TransactionHash, batchNumber);
  } catch (cause) {
    throw clientError("CLI_L1_UNREACHABLE", "cannot read the rollup's root", { cause });
  }
}

async function rootOfEvent(client: LedgerClient, hash: Hex, batchNumber: number): Promise<bigint | null> {
  const { logs } = await client.l1.getTransactionReceipt({ hash });
  const own = logs.filter(({ address }) => address.toLowerCase() === client.rollupAddress.toLowerCase());
  const accepted = parseEventLogs({ abi: rollupAbi, logs: own, eventName: "BatchAccepted" });
  return accepted.find(({ args }) => Number(args.batchNumber) === batchNumber)?.args.newRoot ?? null;
}
