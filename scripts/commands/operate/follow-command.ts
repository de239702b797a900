import { join } from "node:path";
import { Secret } from "@openledger/foundation/secret";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { type Command, InvalidArgumentError } from "commander";
import {
  DATA_OPTION,
  FINALITY_OPTION,
  FROM_BLOCK_OPTION,
  LISTEN_OPTIONS,
  SNAPSHOT_OPTION,
} from "../../cli/common-options.ts";
import { deploymentOf, resolveEndpoints } from "../../cli/context.ts";
import { withOptions } from "../../cli/options.ts";
import { onRun, withExample } from "../../cli/run-command.ts";
import { SERVER_OPTIONS, serverLimitsOf } from "../../cli/server-options.ts";
import { workspaceDir } from "../../cli/workspace.ts";

export function addFollowCommand(program: Command): void {
  const command = withOptions(
    program
      .command("follow")
      .description(
        "keep a read-only copy of the ledger from L1 and a sequencer's feed, serve the same API, and alarm when the sequencer lies",
      ),
    {
      "--feed <url>": "the sequencer, or another full node, whose soft state is shown; default: L1 alone",
      ...DATA_OPTION,
      "--replica-token-file <file>":
        "this is the operator's standby: it gets entries before they are acknowledged, and confirms them (docs/how-to/fail-over.md)",
      ...SNAPSHOT_OPTION,
      "--verify-proofs": "verify every proof again, by the keys that L1 has registered",
      "--max-blobs <n>": {
        about: "blobs that are kept in --data, the newest of what it has seen, 131,072 bytes each; 0 for all",
        fallback: 0,
        parse: parseCount,
      },
      ...LISTEN_OPTIONS,
      ...FINALITY_OPTION,
      "--poll-interval <ms>": {
        about: "between two looks at L1 and the feed",
        fallback: 1_000,
        parse: parsePositive,
      },
      "--stall-seconds <n>": {
        about: "so long without a new block or an answer is an alarm",
        fallback: 300,
        parse: parsePositive,
      },
      "--no-pages": "serve the API alone, no pages at /",
      "--pages-l1 <url>": "an Ethereum node that the pages' readers may ask; default: their wallets' alone",
      "--pages-model <url...>": "servers of models that the pages may ask",
      "--pages-adapters <url...>": "servers of many adapters that the pages may ask",
      "--pages-datanets <url...>": "hosts of Datanets that the pages work with",
      "--pages-factory <url>": "a factory where the pages tune models",
      ...FROM_BLOCK_OPTION,
      ...SERVER_OPTIONS,
    },
  );
  withExample(
    command,
    "follow --rpc https://… --rollup 0x… --feed https://sequencer.example --port 8557",
    "follow --rpc https://… --rollup 0x… --snapshot ledger.snapshot",
    "follow --rpc https://… --rollup 0x… --beacon https://… --blobs https://full node.example",
  );
  onRun(command, async ({ options, output }) => {
    const { runFullNode } = await import("./follow.ts");
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const deployment = deploymentOf(rollupAddress);
    const known = deployment === null ? undefined : BigInt(deployment.deployedAtBlock);
    await runFullNode(
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
        dataPath: options.data ?? join(workspaceDir, "full-node"),
        finalityDepthBlocks: options.finalityDepth,
        host: options.host ?? "127.0.0.1",
        port: options.port ?? 8557,
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

function parseCount(text: string): number {
  return text === "0" ? 0 : parsePositive(text);
}

function parsePositive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("not a positive number");
  return Number(text);
}
