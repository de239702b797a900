/** Finalizes what the bridge's pending transaction pays to, right before it: each makes that payment 17,100 gas dearer. */

import { decodeWire } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { batchShape } from "@openledger/circuits/registry/circuit-sizes";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import type { World } from "@openledger/e2e/world/world";
import { type Address, decodeFunctionData, encodeFunctionData, type Hex, hexToBytes, toHex } from "viem";
import type { Attack } from "./grief-result.ts";
import { type AttackersCall, createPoolAttacker } from "./pool-attacker.ts";

const FINALIZE_WITHDRAWAL_GAS_LIMIT = 150_000;

export function claimAttack(world: World): Attack {
  const attacker = createPoolAttacker(world, async (input) => {
    const owners = await creditedOwners(world, input);
    return owners.map((owner): AttackersCall => {
      const data = encodeFunctionData({ abi: rollupAbi, functionName: "finalizeWithdrawal", args: [owner] });
      return { data, gasLimit: FINALIZE_WITHDRAWAL_GAS_LIMIT };
    });
  });
  return {
    name: "outOfGas",
    description: "finalizes before each of the bridge's transactions",
    start: async () => attacker.start(),
    async stop() {
      const { gas, minedCount } = await attacker.stop();
      return { gas, did: `${minedCount} finalizes` };
    },
  };
}

/** Whom the transaction pays, if they have a credit already. */
async function creditedOwners(world: World, input: Hex): Promise<Address[]> {
  const { args, functionName } = decodeFunctionData({ abi: rollupAbi, data: input });
  if (functionName !== "submitBatches") return [];
  const header = {
    ...{ domain: 0n, oldRoot: 0n, batchNumber: 0n },
    ...{ firstOpIndex: 0n, oldNextId: 0, idFeeWei: 0n },
  };
  const shape = batchShape(world.circuit.sizes);
  const owners = new Set<Address>();
  for (const { data } of args[0])
    for (const { kind, words } of decodeWire(hexToBytes(data), shape, header).wide)
      if (kind === KIND.withdraw) owners.add(toHex(words[0]!, { size: 20 }));
  const credited: Address[] = [];
  for (const owner of owners) if ((await creditWei(world, owner)) > 0n) credited.push(owner);
  return credited;
}

/** What L1 owes an address. */
export function creditWei({ l1 }: World, owner: Address): Promise<bigint> {
  return l1.client.readContract({
    address: l1.deployment.rollupAddress,
    abi: rollupAbi,
    functionName: "pendingWithdrawals",
    args: [owner],
  });
}
