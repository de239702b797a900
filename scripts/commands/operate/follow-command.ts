import { join } from "node:path";
import { Secret } from "@openledger/foundation/secret";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { type Command, InvalidArgumentError } from "commander";
import { deploymentOf, resolveEndpoints } from "../../cli/context.ts";
import { parseBlock } from "../../cli/parse-id.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { addServerOptions, type ServerOptionTexts, serverLimitsOf } from "../../cli/server-options.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import { FINALITY_DEPTH_BLOCKS, parseDepth } from "./restore-command.ts";

interface FollowCommandOptions extends ServerOptionTexts {
  feed?: string;
  data?: string;
  replicaTokenFile?: string;
  snapshot?: string;
  verifyProofs?: true;
  maxBlobs: number;
  host: string;
  port: number;
  finalityDepth: number;
  pollInterval: number;
  stallSeconds: number;
  fromBlock?: bigint;
  pages: boolean;
  pagesL1?: string;
  pagesModel?: string[];
  pagesAdapters?: string[];
  pagesDatanets?: string[];
  pagesFactory?: string;
}

export function addFollowCommand(program: Command): void {
  const command = program
    .command("follow")
    .description(
      "keep a read-only copy of the ledger from L1 and a sequencer's feed, serve the same API, and alarm when the sequencer lies",
    )
    .option(
      "--feed <url>",
      "the sequencer, or another follower, whose soft state is shown; default: L1 alone",
    )
    .option("--data <folder>", "where the copy and the evidence are kept; default: in the devnet's folder")
    .option(
      "--replica-token-file <file>",
      "this is the operator's spare: it gets entries before they are acknowledged, and confirms them (docs/failover.md)",
    )
    .option("--snapshot <file>", "begin with a snapshot instead of executing all that L1 has")
    .option("--verify-proofs", "verify every proof again, by the keys that L1 has registered")
    .option(
      "--max-blobs <n>",
      "blobs that are kept in --data, the newest of what it has seen, 131,072 bytes each; 0 for all",
      parseCount,
      0,
    )
    .option("--host <address>", "where the API listens", "127.0.0.1")
    .option("--port <number>", "where the API listens; 0 for any", parsePort, 8557)
    .option(
      "--finality-depth <blocks>",
      "how many blocks a batch must be deep",
      parseDepth,
      FINALITY_DEPTH_BLOCKS,
    )
    .option("--poll-interval <ms>", "between two looks at L1 and the feed", parsePositive, 1_000)
    .option("--stall-seconds <n>", "so long without a new block or an answer is an alarm", parsePositive, 300)
    .option("--no-pages", "serve the API alone, no pages at /")
    .option(
      "--pages-l1 <url>",
      "an Ethereum node that the pages' readers may ask; default: their wallets' alone",
    )
    .option("--pages-model <url...>", "servers of models that the pages may ask")
    .option("--pages-adapters <url...>", "servers of many adapters that the pages may ask")
    .option("--pages-datanets <url...>", "hosts of Datanets that the pages work with")
    .option("--pages-factory <url>", "a factory where the pages tune models")
    .option("--from-block <number>", "the contract's own block; searched for by default", parseBlock);
  addServerOptions(command);
  withExample(
    command,
    "follow --rpc https://… --rollup 0x… --feed https://sequencer.example --port 8557",
    "follow --rpc https://… --rollup 0x… --snapshot ledger.snapshot",
    "follow --rpc https://… --rollup 0x… --beacon https://… --blobs https://follower.example",
  );
  onRun<FollowCommandOptions>(command, async ({ options, output }) => {
    const { runFollower } = await import("./follow.ts");
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const deployment = deploymentOf(rollupAddress);
    const known = deployment === null ? undefined : BigInt(deployment.deployedAtBlock);
    await runFollower(
      {
        rpcUrl,
        rollupAddress,
        fromBlock: options.fromBlock ?? known,
        feedUrl: options.feed ?? null,
        replicaToken:
          options.replicaTokenFile === undefined
            ? undefined
            : new Secret(readSecretFile(options.replicaTokenFile)),
        blobs: { archives: options.blobs ?? [], beaconUrls: options.beacon ?? [] },
        maxBlobCount: options.maxBlobs,
        dataPath: options.data ?? join(workspaceDir, "follower"),
        finalityDepthBlocks: options.finalityDepth,
        host: options.host,
        port: options.port,
        pollIntervalMs: options.pollInterval,
        stallMs: options.stallSeconds * 1_000,
        rateLimitPerMinute: 6_000,
        ...serverLimitsOf(options),
      },
      {
        snapshotPath: options.snapshot ?? null,
        isVerifying: options.verifyProofs === true,
        pages: options.pages
          ? {
              l1Url: options.pagesL1 ?? null,
              modelServers: options.pagesModel ?? [],
              adapterServers: options.pagesAdapters ?? [],
              datanetHosts: options.pagesDatanets ?? [],
              factoryUrl: options.pagesFactory ?? null,
            }
          : null,
      },
      output,
    );
  });
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError("not a port");
  return Number(text);
}

function parseCount(text: string): number {
  return text === "0" ? 0 : parsePositive(text);
}

function parsePositive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("not a positive number");
  return Number(text);
}
