/**
 * EthereumJS's client: an EVM, a pool and a JSON-RPC server that share no code with anvil's and Hardhat's. It follows a consensus
 * client's Engine API, whose part is played here: a block is built, handed in and made the head; another branch is another head.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { type Hex, parseTransaction, toHex, zeroAddress, zeroHash } from "viem";
import { drillError } from "../drill-errors.ts";
import { localUrl } from "../machine.ts";
import { portOf } from "../services.ts";
import { BlockClock } from "./block-clock.ts";
import { clockedNode, installed, rpcOf, startClient } from "./client-process.ts";
import type { L1Node, L1NodeOptions } from "./l1-node.ts";

const PACKAGE = { name: "@ethereumjs/client", version: "0.10.5", before: "2026-11-20" };
const BALANCE = toHex(10n ** 22n);
const FORKS = [
  "homestead",
  "eip150",
  "eip155",
  "eip158",
  "byzantium",
  "constantinople",
  "petersburg",
  "istanbul",
  "berlin",
  "london",
  "mergeNetsplit",
];

interface Payload {
  readonly blockHash: Hex;
  readonly blockNumber: Hex;
  readonly timestamp: Hex;
  readonly transactions: readonly Hex[];
}
interface Head {
  readonly hash: Hex;
  readonly timestamp: number;
}

export async function startEthereumJs(options: L1NodeOptions): Promise<L1Node> {
  const packages = join(await installed(PACKAGE, options), "node_modules");
  const data = join(options.folder, "l1");
  mkdirSync(data, { recursive: true });
  const genesisPath = join(data, "genesis.json");
  writeFileSync(genesisPath, JSON.stringify(genesis()));
  const [url, engineUrl, peersUrl] = [await localUrl(), await localUrl(), await localUrl()];
  const node = await startClient(url, options, {
    name: "ethereumjs",
    args: [
      join(packages, PACKAGE.name, "dist", "esm", "bin", "cli.js"),
      "--gethGenesis",
      genesisPath,
      "--dataDir",
      data,
      "--saveReceipts",
      "--logLevel",
      "warn",
      "--rpc",
      "--rpcPort",
      portOf(url),
      "--rpcEngine",
      "--rpcEnginePort",
      portOf(engineUrl),
      "--rpcEngineAuth",
      "false",
      "--port",
      portOf(peersUrl),
      "--isSingleNode",
      "--discV4",
      "false",
      "--discDns",
      "false",
    ],
  });
  const engine = rpcOf(engineUrl);
  const first = await rpcOf(url)<{ hash: Hex; timestamp: Hex }>("eth_getBlockByNumber", "0x0", false);
  const chain: Head[] = [{ hash: first.hash, timestamp: Number(first.timestamp) }];

  const setHead = async ({ hash }: Pick<Head, "hash">, attributes: object | null) => {
    const state = { headBlockHash: hash, safeBlockHash: zeroHash, finalizedBlockHash: zeroHash };
    const answer = await engine<{ payloadStatus: { status: string }; payloadId: Hex | null }>(
      ...(["engine_forkchoiceUpdatedV3", state, attributes] as const),
    );
    requireValid(answer.payloadStatus);
    return answer.payloadId;
  };
  /** Makes blocks on the last one of `chain`, which may be another branch than the node has. */
  const clock = new BlockClock(async () => {
    const parent = chain.at(-1)!;
    const timestamp = Math.max(parent.timestamp + 1, Math.floor(Date.now() / 1_000));
    const payloadId = await setHead(parent, {
      timestamp: toHex(timestamp),
      prevRandao: zeroHash,
      suggestedFeeRecipient: zeroAddress,
      withdrawals: [],
      parentBeaconBlockRoot: zeroHash,
    });
    const built = await engine<{ executionPayload: Payload; executionRequests: readonly Hex[] }>(
      ...(["engine_getPayloadV4", payloadId] as const),
    );
    const { executionPayload, executionRequests } = built;
    const blobs = executionPayload.transactions
      .filter((raw) => raw.startsWith("0x03"))
      .flatMap((raw) => parseTransaction(raw as `0x03${string}`).blobVersionedHashes ?? []);
    requireValid(await engine("engine_newPayloadV4", executionPayload, blobs, zeroHash, executionRequests));
    const head = { hash: executionPayload.blockHash, timestamp };
    await setHead(head, null);
    chain.push(head);
  });
  return clockedNode(url, node, clock, async (depth) => {
    await clock.alone(async () => chain.splice(chain.length - depth));
    await clock.mine(depth);
  });
}

function requireValid(status: { readonly status: string }): void {
  if (status.status !== "VALID")
    throw drillError("DRL_UNEXPECTED", `EthereumJS says ${JSON.stringify(status)} of a block`);
}

/** Prague from the first block on, and drill accounts that have ETH. */
function genesis(): object {
  const balances = Array.from({ length: 10 }, (_, i) => [anvilAccount(i).address, { balance: BALANCE }]);
  return {
    config: {
      chainId: 31337,
      ...Object.fromEntries(FORKS.map((name) => [`${name}Block`, 0])),
      terminalTotalDifficulty: 0,
      terminalTotalDifficultyPassed: true,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      blobSchedule: {
        cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3_338_477 },
        prague: { target: 6, max: 9, baseFeeUpdateFraction: 5_007_716 },
      },
    },
    nonce: "0x0",
    extraData: "0x",
    difficulty: "0x0",
    mixHash: zeroHash,
    coinbase: zeroAddress,
    timestamp: toHex(Math.floor(Date.now() / 1_000)),
    gasLimit: toHex(60_000_000),
    baseFeePerGas: toHex(10n ** 9n),
    alloc: Object.fromEntries(balances),
  };
}
