/** `openledger follow`: options of a full node; follow.ts runs it. Times are in seconds on the command line. */
import { join } from "node:path";
import {
  DATA_OPTION,
  FINALITY_OPTION,
  FROM_BLOCK_OPTION,
  LISTEN_OPTIONS,
  SNAPSHOT_OPTION,
} from "../../cli/common-options.ts";
import { deploymentOf, resolveEndpoints } from "../../cli/context.ts";
import { command } from "../../cli/run-command.ts";
import { SERVER_OPTIONS, serverLimitsOf } from "../../cli/server-options.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import { FOLLOW_OPTIONS, parsePositive } from "./follow-options.ts";

export const addFollowCommand = command({
  usage: "follow",
  about:
    "run a full node: follow L1 and a sequencer's feed, serve the same read-only API, and raise an alarm when they differ",
  options: {
    ...FOLLOW_OPTIONS,
    ...DATA_OPTION,
    ...SNAPSHOT_OPTION,
    ...LISTEN_OPTIONS,
    ...FINALITY_OPTION,
    "--stall-seconds <n>": {
      about: "age in seconds of L1's newest block, or of the feed's last reply, from which it is an alarm",
      fallback: 300,
      parse: parsePositive,
    },
    "--no-pages": "serve the API alone, without pages at /",
    "--pages-l1 <url>": "URL of an Ethereum node for the pages; default: the reader's wallet",
    "--pages-answers <url...>": "URLs of answer servers for the pages",
    "--pages-datanets <url...>": "URLs of Datanet hosts for the pages",
    "--pages-factory <url>": "URL of a factory for the pages",
    ...FROM_BLOCK_OPTION,
    ...SERVER_OPTIONS,
  },
  examples: [
    "follow --rpc https://… --rollup 0x… --feed https://sequencer.example --port 8557",
    "follow --rpc https://… --rollup 0x… --snapshot ledger.snapshot",
    "follow --rpc https://… --rollup 0x… --beacon https://… --blobs https://full-node.example",
  ],
  run: async ({ options, output }) => {
    const { runFullNode } = await import("./follow.ts");
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const deployment = deploymentOf(rollupAddress);
    const known = deployment === null ? undefined : BigInt(deployment.deployedAtBlock);
    await runFullNode(
      {
        rpcUrl,
        rollupAddress,
        fromBlock: options.fromBlock ?? known,
        deployedIn: deployment?.deployedIn,
        feedUrl: options.feed ?? null,
        blobs: { archives: options.blobs ?? [], beaconUrls: options.beacon ?? [] },
        dataPath: options.data ?? join(workspaceDir(), "full-node"),
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
              answerServers: options.pagesAnswers ?? [],
              datanetHosts: options.pagesDatanets ?? [],
              factoryUrl: options.pagesFactory ?? null,
            }
          : null,
      },
      output,
    );
  },
});
