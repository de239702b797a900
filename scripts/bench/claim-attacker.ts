/** Claims what the bridge's pending transaction pays to, right before it: each makes that payment 17,100 gas dearer. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Address,
  decodeFunctionData,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  parseGwei,
  toHex,
} from "viem";
import { decodeWire } from "../../circuits/batch/batch-data.ts";
import { KIND } from "../../circuits/protocol.ts";
import { batchShape } from "../../circuits/registry/circuit-sizes.ts";
import { rollupAbi } from "../../contracts/build/rollup-abi.ts";
import { drillAccount } from "../drill/drill-accounts.ts";
import type { DrillWorld } from "../drill/drill-world.ts";

const LOOK_MS = 50;
const CLAIM_GAS_LIMIT = 150_000;
// More than anybody else pays: these go first.
const FEE_WEI = parseGwei("150");

interface PoolTransaction {
  readonly hash: Hex;
  readonly from: Address;
  readonly input: Hex;
}

export class ClaimAttacker {
  private readonly world: DrillWorld;
  private readonly from = drillAccount("treasury").address;
  private readonly hashes: Hex[] = [];
  private isStopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(world: DrillWorld) {
    this.world = world;
  }

  get sentCount(): number {
    return this.hashes.length;
  }

  start(): void {
    this.running = this.run();
  }

  /** @returns gas that the claims have used */
  async stop(): Promise<number> {
    this.isStopped = true;
    await this.running;
    let gas = 0n;
    const { client } = this.world.l1;
    for (const hash of this.hashes) gas += (await client.waitForTransactionReceipt({ hash })).gasUsed;
    return Number(gas);
  }

  private async run(): Promise<void> {
    const { client } = this.world.l1;
    const operator = drillAccount("operator").address.toLowerCase();
    const seen = new Set<Hex>();
    let nonce = await client.getTransactionCount({ address: this.from });
    while (!this.isStopped) {
      await sleep(LOOK_MS);
      const { pending } = (await client.request({ method: "txpool_content" } as never)) as {
        pending: Record<string, Record<string, PoolTransaction>>;
      };
      const own = Object.values(pending).flatMap((byNonce) => Object.values(byNonce));
      for (const { from, hash, input } of own) {
        if (from.toLowerCase() !== operator || seen.has(hash)) continue;
        seen.add(hash);
        for (const owner of await this.creditedOwners(input)) {
          this.hashes.push(await this.claim(owner, nonce));
          nonce += 1;
        }
      }
    }
  }

  /** Whom the transaction pays, if he has a credit already. */
  private async creditedOwners(input: Hex): Promise<Address[]> {
    const { client, deployment } = this.world.l1;
    const { args, functionName } = decodeFunctionData({ abi: rollupAbi, data: input });
    if (functionName !== "submitBatches") return [];
    const header = {
      ...{ domain: 0n, oldRoot: 0n, batchNumber: 0n },
      ...{ firstOpIndex: 0n, oldNextId: 0, idFeeWei: 0n },
    };
    const shape = batchShape(this.world.circuit.sizes);
    const owners = new Set<Address>();
    for (const { data } of args[0])
      for (const { kind, words } of decodeWire(hexToBytes(data), shape, header).wide)
        if (kind === KIND.withdraw) owners.add(toHex(words[0]!, { size: 20 }));
    const credited: Address[] = [];
    for (const owner of owners) {
      const wei = await client.readContract({
        address: deployment.rollupAddress,
        abi: rollupAbi,
        functionName: "pendingWithdrawals",
        args: [owner],
      });
      if (wei > 0n) credited.push(owner);
    }
    return credited;
  }

  /** Sent and not waited for. The account is one of anvil's own. */
  private claim(owner: Address, nonce: number): Promise<Hex> {
    const { client, deployment } = this.world.l1;
    const transaction = {
      from: this.from,
      to: deployment.rollupAddress,
      data: encodeFunctionData({ abi: rollupAbi, functionName: "claim", args: [owner] }),
      gas: toHex(CLAIM_GAS_LIMIT),
      nonce: toHex(nonce),
      maxFeePerGas: toHex(FEE_WEI),
      maxPriorityFeePerGas: toHex(FEE_WEI),
    };
    return client.request({ method: "eth_sendTransaction", params: [transaction] } as never);
  }
}
