/**
 * Runs a full node until a signal ends it; where L1 has replaced what was final, it begins again by itself. `openledger follow`
 * runs it, `openledger watch` the same loop.
 */

import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { createLogger, type Logger } from "@openledger/foundation/logger";
import { keepFilesPrivate } from "@openledger/foundation/private-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { cutStopShort, stopSignal } from "@openledger/foundation/run-until-stopped";
import type { ServedPages } from "@openledger/sequencer/api/pages";
import { createFollowProcess, type FollowOptions } from "@openledger/sequencer/full-node/follow-process";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import { buildPages } from "@openledger/web/build/build-pages";
import type { Output } from "../../cli/output.ts";

export interface RunFullNodeOptions {
  readonly snapshotPath: string | null;
  readonly isVerifying: boolean;
  /** Settings of the pages; null for no pages. */
  readonly pages: Omit<ServedPages, "path"> | null;
}

/** Resolves on SIGTERM or SIGINT. @throws what createFollowProcess throws, and what no new start mends */
export async function runFullNode(
  options: Omit<FollowOptions, "snapshot" | "verifyProof" | "pages">,
  { isVerifying, snapshotPath, pages }: RunFullNodeOptions,
  output: Output,
): Promise<void> {
  keepFilesPrivate();
  await initPoseidon();
  const logger = createLogger("full-node", "info");
  const snapshot = snapshotPath === null ? undefined : (await readSnapshot(snapshotPath)).snapshot;
  const verifyProof = isVerifying
    ? (await import("@openledger/prover/formats/verification-key")).verifyProof
    : undefined;
  const served = pages === null ? undefined : { ...pages, path: await pagesFor(options) };
  await runThroughReorganisations("full-node", logger, async (onFatal) => {
    const fullNode = await createFollowProcess(
      { ...options, snapshot, verifyProof, pages: served },
      { logger, onFatal, onProgress: (text) => output.progress(text) },
    );
    const url = await fullNode.listen();
    const { finalNumber } = fullNode.followed.registry;
    logger.info({ url, finalBatch: finalNumber, feedUrl: options.feedUrl }, "full node listens");
    return fullNode;
  });
}

/**
 * Runs something that follows L1 until SIGTERM or SIGINT; where L1 has replaced what was final, it is started again.
 * @param start @throws what it throws, and what no new start mends
 */
export async function runThroughReorganisations(
  name: string,
  logger: Logger,
  start: (onFatal: (error: unknown) => void) => Promise<{ stop(): Promise<void> }>,
): Promise<void> {
  const ending = stopSignal().then(() => "signal" as const);
  for (;;) {
    let onFatal: (error: unknown) => void = () => {};
    const failing = new Promise<unknown>((resolve) => {
      onFatal = resolve;
    });
    const running = await start(onFatal);
    const ended = await Promise.race([ending, failing]);
    if (ended === "signal") cutStopShort(logger, name);
    await running.stop();
    if (ended === "signal") return;
    if (!isRollupError(ended, "SEQ_FOLLOW_REORGANISED")) throw ended;
    logger.warn({ data: ended.data }, "L1 has replaced what was final: the copy is made again");
  }
}

/** Builds the operator's own pages: they verify with the contract's keys, by the full node's own Ethereum node. */
async function pagesFor({
  rpcUrl,
  rollupAddress,
}: Pick<FollowOptions, "rpcUrl" | "rollupAddress">): Promise<string> {
  const { toSnarkjsKey } = await import("@openledger/prover/formats/verification-key");
  const client = createPatientL1Client({ rpcUrl });
  const registered = await new RollupContract({ client, address: rollupAddress }).circuits();
  const circuits = registered.map((circuit) => ({ ...circuit, key: toSnarkjsKey(verifierKey(circuit)) }));
  return (await buildPages({ circuits, exits: [] })).path;
}
