/** Checks of Ethereum for `openledger status`: the node, the contracts, their keys, and the operator account's balance. */
import { existsSync } from "node:fs";
import type { DeployedCircuit } from "@openledger/circuits/registry/deployment";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { type Address, createPublicClient, formatEther, http } from "viem";
import { bad, type Finding, good, looking } from "./finding.ts";

/** Limit of one request to the Ethereum node. */
const TIMEOUT_MS = 10_000;
/** Ethereum has a block every twelve seconds; a node that shows none for ten minutes stands still. */
const MAX_HEAD_AGE_SECONDS = 600;
/** L1 takes a batch whose timestamp is within an hour of its own; a clock that is further off soon misses that. */
const MAX_HEAD_AHEAD_SECONDS = 60;
/** Gas of a transaction with a batch (README.md, "Figures"), rounded up. */
const BATCH_GAS = 700_000n;
/** Batches that the operator's ether has to pay for: a day with one every fourteen minutes. */
const MIN_BATCH_COUNT = 100n;

export interface L1Endpoint {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Chain of the deployment record; null if there is no record. */
  readonly chainId: number | null;
}

/** @param nowMs this machine's clock */
export async function checkL1(
  { chainId, rollupAddress, rpcUrl }: L1Endpoint,
  nowMs: number,
): Promise<Finding[]> {
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }),
    cacheTime: 0,
  });
  const { host } = new URL(rpcUrl);
  const remedy =
    "start the Ethereum node, or name another one: --rpc URL here, operator init --l1 URL for the processes";
  let actualChainId = 0;
  const node = await looking("l1", host, remedy, async () => {
    actualChainId = await client.getChainId();
    return chainId === null || chainId === actualChainId
      ? null
      : `it is of chain ${actualChainId}, and the record of chain ${chainId}`;
  });
  if (node.problem !== null) return [node];
  // Its blocks come with transactions, and its days are passed by hand.
  const isLocal = actualChainId === DEVNET_CHAIN_ID;
  const head = await looking("l1", `${host}, newest block`, HEAD_REMEDY, async () => {
    const { number, timestamp } = await client.getBlock();
    return isLocal ? null : headProblem(number, Number(timestamp), nowMs / 1_000);
  });
  const contract = { address: rollupAddress, abi: rollupAbi } as const;
  const code = await looking("contract", rollupAddress, CONTRACT_REMEDY, async () =>
    (await client.getCode({ address: rollupAddress })) === undefined ? "there is no contract" : null,
  );
  if (code.problem !== null) return [node, head, code];
  return [
    node,
    head,
    code,
    await looking("contract", "frozen", "take out what is yours with: openledger exit", async () => {
      const { isFrozen } = await client.readContract({ ...contract, functionName: "state" });
      return isFrozen ? "the rollup is frozen: no batch is posted any more" : null;
    }),
    await looking(
      "key",
      "development keys",
      "deploy with the keys of a ceremony (docs/how-to/keys.md)",
      async () => {
        const isDevelopment = await client.readContract({ ...contract, functionName: "isDevelopment" });
        return isDevelopment && !isLocal ? "anyone can forge proofs for this rollup" : null;
      },
    ),
    await checkBalance(client, await client.readContract({ ...contract, functionName: "sequencer" })),
  ];
}

const HEAD_REMEDY =
  "compare it with a public explorer: if the node is behind, name another one; if this machine's clock is wrong, set it by NTP";
const CONTRACT_REMEDY =
  "the address is of another chain or deployment: use the right record, --rpc and --rollup";

/** @returns why the head is too old or too new; null if it is neither */
export function headProblem(
  blockNumber: bigint | null,
  timestamp: number,
  nowSeconds: number,
): string | null {
  const ageSeconds = Math.round(nowSeconds - timestamp);
  if (ageSeconds > MAX_HEAD_AGE_SECONDS) return `block ${blockNumber} is ${ageSeconds} s old`;
  if (ageSeconds < -MAX_HEAD_AHEAD_SECONDS)
    return `block ${blockNumber} is ${-ageSeconds} s ahead of this machine's clock`;
  return null;
}

function checkBalance(client: ReturnType<typeof createPublicClient>, operator: Address): Promise<Finding> {
  return looking("balance", operator, `send ether to ${operator}: it posts the batches`, async () => {
    const [balanceWei, gasPriceWei] = await Promise.all([
      client.getBalance({ address: operator }),
      client.getGasPrice(),
    ]);
    const neededWei = MIN_BATCH_COUNT * BATCH_GAS * gasPriceWei;
    if (balanceWei >= neededWei) return null;
    return `${formatEther(balanceWei)} ETH do not pay for ${MIN_BATCH_COUNT} batches at today's price (${formatEther(neededWei)} ETH)`;
  });
}

/** Key files of a deployment record, on a machine that proves with them. */
export function checkKeyFiles(circuits: readonly DeployedCircuit[]): Finding[] {
  return circuits.map(({ isDevelopment, name, zkeyPath }) => {
    if (existsSync(zkeyPath)) return good("key", name);
    // A circuit that the devnet has registered and nobody has used yet has no key file.
    if (isDevelopment) return good("key", `${name} (development, made when it is first used)`);
    return bad(
      "key",
      name,
      `${zkeyPath} is missing`,
      "put the ceremony's file back (docs/how-to/keys.md); contributors have copies",
    );
  });
}
