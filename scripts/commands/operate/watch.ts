/**
 * `openledger watch`: runs a watcher, which recomputes models and settlements, until a signal ends it; where L1 has replaced
 * what was final, it begins again by itself.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { createLogger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { type GlobalOptions, knownModelLocations, resolveAccount } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";
import { signerClient } from "../datanet/host-options.ts";
import { startWatchProcess, type WatchOptions } from "../watch/watch-process.ts";
import { runThroughReorganisations } from "./follow.ts";

export interface RunWatcherOptions {
  readonly snapshotPath: string | null;
  readonly isVerifying: boolean;
}

/** Resolves on SIGTERM or SIGINT. @throws CMD_ACCOUNT_INVALID; what `startWatchProcess` throws */
export async function runWatcher(
  options: WatchOptions,
  { isVerifying, snapshotPath }: RunWatcherOptions,
  globals: GlobalOptions,
  output: Output,
): Promise<void> {
  keepFilesPrivate();
  resolveAccount(globals);
  await initPoseidon();
  const logger = createLogger("watch", "info");
  const snapshot = snapshotPath === null ? undefined : (await readSnapshot(snapshotPath)).snapshot;
  const verifyProof = isVerifying
    ? (await import("@openledger/prover/formats/verification-key")).verifyProof
    : undefined;
  await runThroughReorganisations("watch", logger, async (onFatal) => {
    const running = await startWatchProcess(
      { ...options, fullNode: { ...options.fullNode, snapshot, verifyProof } },
      {
        logger,
        onFatal,
        onProgress: (text) => output.progress(text),
        openSigner: (sequencer) => signerClient({ ...globals, sequencer }, null),
        knownServers: knownModelLocations,
      },
    );
    const { hosts, datanetIds } = options.watched;
    const datanets = datanetIds === null ? "all" : [...datanetIds];
    logger.info({ url: running.url, datanets, hosts }, "watcher listens");
    return running;
  });
}
