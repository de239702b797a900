/**
 * `openledger watch`: options of a watcher, which recomputes models and settlements and signs what it found; watch.ts runs it.
 */
import { join } from "node:path";
import { readConfig } from "@openledger/foundation/settings";
import {
  DATA_OPTION,
  FINALITY_OPTION,
  FROM_BLOCK_OPTION,
  LISTEN_OPTIONS,
  SNAPSHOT_OPTION,
} from "../../cli/common-options.ts";
import { deploymentOf, resolveEndpoints } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { SERVER_OPTIONS, serverLimitsOf } from "../../cli/server-options.ts";
import { TEXT_BASE_OPTION } from "../../cli/text-base-option.ts";
import { workspaceDir } from "../../cli/workspace.ts";
import { UNSIGNED_OPTION, unsignedOf } from "../datanet/host-options.ts";
import { WATCH_SETTINGS } from "../watch/watch-settings.ts";
import { FOLLOW_OPTIONS, parsePositive, parseUrl } from "./follow-options.ts";

const MINUTE_MS = 60_000;

export const addWatchCommand = command({
  usage: "watch",
  about:
    "follow L1, replay every batch, recompute every model and settlement, sign what was found, and call a webhook when something differs or stands still",
  options: {
    "--datanets <ids>": {
      about: "ids of the Datanets whose models are recomputed, as 10,14; default: all",
      parse: parseIds,
    },
    "--hosts <url...>": "URLs of Datanet hosts that get the signed records",
    ...UNSIGNED_OPTION,
    "--servers <url...>": "URLs of answer servers and factories; default: those of the devnet",
    ...TEXT_BASE_OPTION,
    "--budget-minutes <n>": {
      about: "most minutes of recomputing in a day (UTC)",
      fallback: 240,
      parse: parsePositive,
    },
    "--budget-bytes <n>": {
      about: "most bytes to download in a day (UTC)",
      fallback: 10_000_000_000,
      parse: parsePositive,
    },
    "--webhook <url>": { about: "URL that is sent a JSON object for each alarm", parse: parseUrl },
    ...FOLLOW_OPTIONS,
    "--stall-seconds <n>": {
      about: "age in seconds of L1's newest block, or of the feed's last reply, from which it is an alarm",
      fallback: 600,
      parse: parsePositive,
    },
    ...DATA_OPTION,
    ...SNAPSHOT_OPTION,
    ...LISTEN_OPTIONS,
    ...FINALITY_OPTION,
    ...FROM_BLOCK_OPTION,
    ...SERVER_OPTIONS,
  },
  examples: [
    "watch --account walt --feed http://127.0.0.1:8787 --hosts http://127.0.0.1:8560 --finality-depth 12",
    "watch --account walt --datanets 10 --budget-minutes 30 --webhook https://alerts.example/openledger",
  ],
  run: async ({ options, output }) => {
    // Loaded here: models and sequencer would make every other command slower.
    const { runWatcher } = await import("./watch.ts");
    const { databaseUrl } = readConfig("WATCH", { settings: WATCH_SETTINGS, fixed: {} }, process.env);
    const { rpcUrl, rollupAddress } = resolveEndpoints(options);
    const deployment = deploymentOf(rollupAddress);
    const known = deployment === null ? undefined : BigInt(deployment.deployedAtBlock);
    await runWatcher(
      {
        fullNode: {
          rpcUrl,
          rollupAddress,
          fromBlock: options.fromBlock ?? known,
          deployedIn: deployment?.deployedIn,
          feedUrl: options.feed ?? null,
          blobs: { archives: options.blobs ?? [], beaconUrls: options.beacon ?? [] },
          finalityDepthBlocks: options.finalityDepth,
          host: options.host ?? "127.0.0.1",
          port: options.port ?? 8558,
          pollIntervalMs: options.pollInterval,
          stallMs: options.stallSeconds * 1_000,
          rateLimitPerMinute: 6_000,
          ...serverLimitsOf(options),
        },
        dataPath: options.data ?? join(workspaceDir(), "watcher"),
        watched: {
          datanetIds: options.datanets ?? null,
          hosts: options.hosts ?? [],
          ...unsignedOf(options),
          servers: options.servers ?? [],
          base: options.base ?? null,
        },
        budget: { maxMs: options.budgetMinutes * MINUTE_MS, maxBytes: options.budgetBytes },
        webhookUrl: options.webhook ?? null,
        database: databaseUrl === undefined ? null : { databaseUrl, databasePath: "" },
      },
      { snapshotPath: options.snapshot ?? null, isVerifying: options.verifyProofs === true },
      options,
      output,
    );
  },
});

function parseIds(text: string): ReadonlySet<number> {
  return new Set(text.split(",").map(parseId));
}
