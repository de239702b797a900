/** Runs a follower until a signal ends it; where L1 has replaced what was final, it begins again by itself. */
import { createPatientL1Client } from "../../../bridge/l1/l1-client.ts";
import { RollupContract } from "../../../bridge/l1/rollup-contract.ts";
import { initPoseidon } from "../../../circuits/field/poseidon.ts";
import { keepFilesPrivate } from "../../../foundation/private-files.ts";
import { isRollupError } from "../../../foundation/rollup-error.ts";
import { cutStopShort } from "../../../foundation/run-until-stopped.ts";
import type { ServedPages } from "../../../sequencer/api/pages.ts";
import { createFollowProcess, type FollowOptions } from "../../../sequencer/follower/follow-process.ts";
import { createLogger } from "../../../sequencer/logger.ts";
import { verifierKey } from "../../../verifier/replay/verify-keys.ts";
import { readSnapshot } from "../../../verifier/restore/snapshot-file.ts";
import { buildPages } from "../../../web/build/build-pages.ts";
import type { Output } from "../../cli/output.ts";

export interface RunFollowerOptions {
  readonly snapshotPath: string | null;
  readonly isVerifying: boolean;
  /** What the pages are told of; null for no pages. */
  readonly pages: Omit<ServedPages, "path"> | null;
}

/** Resolves on SIGTERM or SIGINT. @throws what createFollowProcess throws, and what no new start mends */
export async function runFollower(
  options: Omit<FollowOptions, "snapshot" | "verifyProof" | "pages">,
  { isVerifying, snapshotPath, pages }: RunFollowerOptions,
  output: Output,
): Promise<void> {
  keepFilesPrivate();
  await initPoseidon();
  const logger = createLogger({ level: "info", component: "follower" });
  const snapshot = snapshotPath === null ? undefined : (await readSnapshot(snapshotPath)).snapshot;
  const verifyProof = isVerifying
    ? (await import("../../../prover/formats/verification-key.ts")).verifyProof
    : undefined;
  const served = pages === null ? undefined : { ...pages, path: await pagesFor(options) };
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
    if (ended === "signal") cutStopShort(logger, "follower");
    await follower.stop();
    if (ended === "signal") return;
    if (!isRollupError(ended, "SEQ_FOLLOW_REORGANISED")) throw ended;
    logger.warn({ data: ended.data }, "L1 has replaced what was final: the copy is made again");
  }
}

/** Its operator's own pages: they verify with the keys that the contract has, by the follower's own Ethereum node. */
async function pagesFor({
  rpcUrl,
  rollupAddress,
}: Pick<FollowOptions, "rpcUrl" | "rollupAddress">): Promise<string> {
  const { toSnarkjsKey } = await import("../../../prover/formats/verification-key.ts");
  const client = createPatientL1Client({ rpcUrl });
  const registered = await new RollupContract({ client, address: rollupAddress }).circuits();
  const circuits = registered.map((circuit) => ({ ...circuit, key: toSnarkjsKey(verifierKey(circuit)) }));
  return (await buildPages({ circuits, exits: [] })).path;
}
