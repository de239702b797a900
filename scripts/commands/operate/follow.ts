/** Runs a follower until a signal ends it; where L1 has replaced what was final, it begins again by itself. */
import { readSnapshot } from "../../../bridge/verify/snapshot-file.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { isRollupError } from "../../../circuits/rollup-error.ts";
import { createFollowProcess, type FollowOptions } from "../../../sequencer/follower/follow-process.ts";
import { createLogger } from "../../../sequencer/logger.ts";
import { buildPages } from "../../../web/build/build-pages.ts";
import type { Output } from "../../cli/output.ts";

export interface RunFollowerOptions {
  readonly snapshotPath: string | null;
  readonly isVerifying: boolean;
  /** The Ethereum node that the pages are told of; null for no pages. */
  readonly pages: { readonly l1Url: string | null } | null;
}

/** Resolves on SIGTERM or SIGINT. @throws what createFollowProcess throws, and what no new start mends */
export async function runFollower(
  options: Omit<FollowOptions, "snapshot" | "verifyProof" | "pages">,
  { isVerifying, snapshotPath, pages }: RunFollowerOptions,
  output: Output,
): Promise<void> {
  await initPoseidon();
  const logger = createLogger({ level: "info", component: "follower" });
  const snapshot = snapshotPath === null ? undefined : (await readSnapshot(snapshotPath)).snapshot;
  const verifyProof = isVerifying
    ? (await import("../../../prover/formats/verification-key.ts")).verifyProof
    : undefined;
  const served = pages === null ? undefined : { ...pages, path: (await buildPages()).path };
  const ending = new Promise<"signal">((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve("signal"));
  });
  for (;;) {
    let onFatal: (error: unknown) => void = () => {};
    const failing = new Promise<unknown>((resolve) => {
      onFatal = resolve;
    });
    const follower = await createFollowProcess(
      { ...options, snapshot, verifyProof, pages: served },
      { logger, onFatal, onProgress: (text) => output.progress(text) },
    );
    const url = await follower.listen();
    const { finalNumber } = follower.followed.book;
    logger.info({ url, finalBatch: finalNumber, feedUrl: options.feedUrl }, "follower listens");
    const ended = await Promise.race([ending, failing]);
    await follower.stop();
    if (ended === "signal") return;
    if (!isRollupError(ended, "SEQ_FOLLOW_REORGANISED")) throw ended;
    logger.warn({ data: ended.data }, "L1 has replaced what was final: the copy is made again");
  }
}
