/**
 * Pre-verifies a settlement right before each of the bridge's transactions, and behind it posts a batch of their own that takes it:
 * such a batch would make all that is in proof void. Every other settlement is of an epoch that never was.
 */

import { TAKE_PRE_VERIFIED } from "@openledger/bridge/l1/rollup-contract";
import { encodeWire } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { World } from "@openledger/e2e/world/world";
import { bytesToHex, encodeFunctionData, type Hex } from "viem";
import type { PreVerifiable } from "./attackers-models.ts";
import type { Attack } from "./grief-result.ts";
import { createPoolAttacker } from "./pool-attacker.ts";

const PRE_VERIFY_GAS_LIMIT = 1_000_000;
const BATCH_GAS_LIMIT = 500_000;

/** @param preVerifiables each is pre-verified once, over all starts */
export function settleAttack(world: World, preVerifiables: readonly PreVerifiable[]): Attack {
  const isOfLedger = (wanted: boolean) =>
    preVerifiables.filter((preVerifiable) => preVerifiable.isOfLedger === wanted);
  const left = [isOfLedger(true), isOfLedger(false)];
  let turn = 0;
  let preVerifiedCounts = [0, 0];
  const next = () => {
    const kind = turn++ % 2;
    const preVerifiable = left[kind]!.shift();
    if (preVerifiable !== undefined) preVerifiedCounts[kind]! += 1;
    return preVerifiable;
  };
  const attacker = createPoolAttacker(world, async () => {
    const preVerifiable = next();
    if (preVerifiable === undefined) return [];
    return [
      { data: preVerifiable.input, gasLimit: PRE_VERIFY_GAS_LIMIT },
      { data: await ownBatch(world, preVerifiable), gasLimit: BATCH_GAS_LIMIT },
    ];
  });
  return {
    name: "settleOnly",
    description:
      "a settlement pre-verified before each of the bridge's transactions, and a batch that takes it",
    async start() {
      preVerifiedCounts = [0, 0];
      attacker.start();
    },
    async stop() {
      const { gas, minedCount, refusals } = await attacker.stop();
      const refused = [...refusals].map(([name, count]) => `${count} ${name}`).join(", ") || "none";
      const preVerified = `${preVerifiedCounts[0]} of epochs of the ledger's, ${preVerifiedCounts[1]} of invented ones`;
      const taken = `${await takenCount(world)} taken by now`;
      return {
        gas,
        did: `${minedCount} transactions; pre-verified: ${preVerified}, ${taken}; refused: ${refused}`,
      };
    },
  };
}

/** Of all that was ever pre-verified, what batches on L1 have taken: only the sequencer's can. */
async function takenCount({ l1: { client, deployment } }: World): Promise<number> {
  const { deployedAtBlock, rollupAddress } = deployment;
  const taken = await client.getContractEvents({
    address: rollupAddress,
    abi: rollupAbi,
    eventName: "PreVerifiedSettlementTaken",
    fromBlock: BigInt(deployedAtBlock),
  });
  return taken.length;
}

/**
 * L1 refuses it before it looks at the proof, since nothing is overdue: so any proof will do, and no proof of such a batch
 * could ever be in time.
 */
async function ownBatch({ circuit, l1 }: World, { modelId, proof, word }: PreVerifiable): Promise<Hex> {
  const { timestamp } = await l1.client.getBlock();
  const record = { kind: KIND.settle, a: 0, b: modelId, amountCode: 0n, isValid: false, words: [word] };
  const header = { domain: 0n, oldRoot: 0n, batchNumber: 0n, firstOpIndex: 0n, oldNextId: 0, idFeeWei: 0n };
  const wire = encodeWire({
    ...header,
    ...{ shape: batchShape(circuit.sizes), narrow: [], wide: [record] },
    ...{ newRoot: 1n, timestamp, newNextId: 0, feeAccountId: 1, feePerUnitWei: 0n, signedCount: 0 },
  });
  const batch = { circuit: 0, commitment: 0n, data: bytesToHex(wire) };
  const args = [[batch], [TAKE_PRE_VERIFIED], [proof]] as const;
  return encodeFunctionData({ abi: rollupAbi, functionName: "submitBatches", args });
}
