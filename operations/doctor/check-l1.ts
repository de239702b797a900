/** Of Ethereum: the chain, what is deployed there, what the operator's account holds, and the clocks. */

import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { hasOnlyBlobBatches } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { type Address, createPublicClient, formatEther, http, isAddressEqual } from "viem";
import { bad, type Finding, good, looking } from "./finding.ts";

const TIMEOUT_MS = 10_000;
/** Of a transaction with a batch (README.md, "Figures"), rounded up. */
const BATCH_GAS = 700_000n;
/** A day of a batch every fourteen minutes. */
const LEAST_BATCHES = 100n;
/** L1 takes a batch whose timestamp is within an hour; a wallet's deadline is shorter. */
const MAX_AHEAD_SECONDS = 30;
/** Ethereum has a block every twelve seconds, and rarely none for some minutes. */
const MAX_BEHIND_SECONDS = 180;

export async function checkL1(deployment: Deployment, rpcUrl: string): Promise<Finding[]> {
  const client = createPublicClient({
    transport: http(rpcUrl, { timeout: TIMEOUT_MS, retryCount: 0 }),
    cacheTime: 0,
  });
  const { chainId, rollupAddress, tokenAddress } = deployment;
  const place = new URL(rpcUrl).host;
  const remedy = "start the Ethereum node, or name another one with: openledger operator init --l1 URL";
  const l1 = await looking("l1", place, remedy, async () => {
    const found = await client.getChainId();
    return found === chainId ? null : `it is of chain ${found}, and the record of chain ${chainId}`;
  });
  // Nothing else can be said of a chain that does not answer, or of another one.
  if (l1.problem !== null) return [l1];
  const findings: Finding[] = [l1];
  for (const [name, address] of [
    ["OpenToken", tokenAddress],
    ["Rollup", rollupAddress],
  ] as const)
    findings.push(
      await looking(
        "deployed",
        name,
        "the record is of another chain or deployment: use the right one",
        async () => {
          const code = await client.getCode({ address });
          return code === undefined ? `there is no contract at ${address}` : null;
        },
      ),
    );
  if (findings.some(({ problem }) => problem !== null)) return findings;
  findings.push(...(await checkRollup(deployment, client)));
  findings.push(await checkBalance(deployment.genesis.operatorOwner, client));
  findings.push(
    await looking(
      "clock",
      place,
      "set the clock by NTP; if it is right, the Ethereum node has stopped syncing",
      async () => {
        const { timestamp } = await client.getBlock();
        const aheadSeconds = Date.now() / 1_000 - Number(timestamp);
        if (aheadSeconds > MAX_BEHIND_SECONDS)
          return `the last block is ${Math.round(aheadSeconds)} s older than this machine's clock`;
        if (aheadSeconds < -MAX_AHEAD_SECONDS)
          return `the last block is ${Math.round(-aheadSeconds)} s ahead of this machine's clock`;
        return null;
      },
    ),
  );
  return findings;
}

type Client = ReturnType<typeof createPublicClient>;

async function checkRollup(deployment: Deployment, client: Client): Promise<Finding[]> {
  const { rollupAddress, genesis, circuits } = deployment;
  const rollup = new RollupContract({ client: client as never, address: rollupAddress });
  const read = (functionName: "sequencer" | "token") =>
    client.readContract({ address: rollupAddress, abi: rollupAbi, functionName });
  const remedy = "the record is of another deployment: use the one that openledger deploy wrote";
  const findings = [
    await looking("deployed", "sequencer", remedy, async () => {
      const sequencer = await read("sequencer");
      return isAddressEqual(sequencer, genesis.operatorOwner)
        ? null
        : `L1 takes batches of ${sequencer}, and the record's operator is ${genesis.operatorOwner}`;
    }),
    await looking("deployed", "token of the rollup", remedy, async () => {
      const token = await read("token");
      return isAddressEqual(token, deployment.tokenAddress) ? null : `it is ${token}`;
    }),
    await looking(
      "deployed",
      "frozen",
      "no batches are posted any more: leave with openledger exit",
      async () => {
        const { isFrozen } = await client.readContract({
          address: rollupAddress,
          abi: rollupAbi,
          functionName: "state",
        });
        return isFrozen ? "the rollup is frozen" : null;
      },
    ),
  ];
  let onL1: Awaited<ReturnType<RollupContract["circuits"]>>;
  try {
    onL1 = await rollup.circuits();
  } catch (error) {
    return [...findings, bad("deployed", "circuits", (error as Error).message.split("\n")[0]!, remedy)];
  }
  if (onL1.length !== circuits.length)
    findings.push(
      bad("deployed", "circuits", `L1 has ${onL1.length}, the record ${circuits.length}`, remedy),
    );
  if (hasOnlyBlobBatches(onL1))
    findings.push(
      bad(
        "deployed",
        "circuits",
        "all batch circuits use blobs: no other account can post the queue without the sequencer",
        "it cannot be changed: deploy another rollup with a batch circuit without -blob",
      ),
    );
  for (const [i, { circuitId, name }] of circuits.entries()) {
    const isSame = onL1[i]?.circuitId === circuitId;
    findings.push(
      isSame
        ? good("deployed", `key of ${name}`)
        : bad("deployed", `key of ${name}`, "L1 has registered another verifying key at its place", remedy),
    );
  }
  return findings;
}

function checkBalance(operator: Address, client: Client): Promise<Finding> {
  return looking("balance", operator, `send ether to ${operator}`, async () => {
    const [balanceWei, priceWei] = await Promise.all([
      client.getBalance({ address: operator }),
      client.getGasPrice(),
    ]);
    const neededWei = LEAST_BATCHES * BATCH_GAS * priceWei;
    return balanceWei >= neededWei
      ? null
      : `${formatEther(balanceWei)} ETH do not pay for ${LEAST_BATCHES} batches at today's price (${formatEther(neededWei)} ETH)`;
  });
}
