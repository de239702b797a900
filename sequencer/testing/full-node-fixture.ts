/** A full node under test, compared with the answers of the sequencer that it follows. */
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { bridgeParts } from "@openledger/bridge/testing/bridge-parts";
import type { HistoryFixture } from "@openledger/bridge/testing/history-fixture";
import type { ModelHistory } from "@openledger/bridge/testing/model-history";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { createLogger } from "@openledger/foundation/logger";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { vi } from "vitest";
import { createFollowProcess, type FollowOptions, type FollowProcess } from "../full-node/follow-process.ts";
import { deploymentOn, FINALITY_DEPTH_BLOCKS, type L1World } from "./l1-world.ts";
import { type Answer, OPERATOR_TOKEN } from "./test-rollup.ts";

export interface TestFullNode extends FollowProcess {
  /** Errors that only a restart would mend. */
  readonly fatal: unknown[];
  get(url: string): Promise<{ status: number; body: Answer }>;
}

export const urlOf = (w: L1World): string => {
  const { port } = w.rollup.app.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
};

/** Starts one without a port; the test polls it. `feedUrl`: null for L1 alone. */
export async function startTestFullNode(
  { rollup, rpcUrl }: HistoryFixture,
  dataPath: string,
  feedUrl: string | null,
  changes: Partial<FollowOptions> = {},
): Promise<TestFullNode> {
  const fatal: unknown[] = [];
  const started = await createFollowProcess(
    {
      rpcUrl,
      rollupAddress: rollup.address,
      feedUrl,
      dataPath,
      finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
      host: "127.0.0.1",
      port: 0,
      pollIntervalMs: 50,
      stallMs: 600_000,
      rateLimitPerMinute: 1_000_000,
      ...changes,
    },
    {
      logger: createLogger("test", process.env.FOLLOW_TEST_LOG ?? "silent"),
      onFatal: (error) => fatal.push(error),
    },
  );
  const get = async (url: string) => {
    const response = await started.app.inject({ method: "GET", url });
    return { status: response.statusCode, body: JSON.parse(response.body) as Answer };
  };
  return { ...started, get, fatal };
}

type Served = Pick<TestFullNode, "get">;

/** Fields that each server has of its own: times, the stages in between, and the prover's and the transaction's facts. */
const OWN_FIELDS =
  /AtMs$|^(postedBalanceWei|status|proveMs|backend|l1TransactionHash|l1BlockNumber|gasUsed|rebuildCount|isForeign)$/;
/** L1 alone holds no hashes of operations. */
const FEED_FIELDS = /^hash$/;

/** An answer without the fields that a full node cannot have. */
export async function plainAnswer(served: Served, url: string, isFromL1Alone = false): Promise<Answer> {
  const { body, status } = await served.get(url);
  const isLeftOut = (key: string) => OWN_FIELDS.test(key) || (isFromL1Alone && FEED_FIELDS.test(key));
  const plain = JSON.stringify(body, (key, part) => (isLeftOut(key) ? undefined : part));
  return { status, ...JSON.parse(plain) };
}

/** Lets the wall clock go on by more than a stall takes, without waiting. */
export function passStall(stallMs: number): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => now() + stallMs + 1);
}

/** Circuits of MODEL_CIRCUITS, then those of SHARD_CIRCUITS. */
const MODEL_CIRCUIT_NAMES = [
  "settlement-16-16-8-16-4",
  "payee-table-8",
  "sharded-16-2-16-4",
  "shard-16-16-8-4",
];

/** The deployment's record with the circuits of a model's life. */
export function modelDeployment(f: ModelHistory, folder: string): Promise<Deployment> {
  const deployed = f.l1.circuits.slice(f.l1.shapes.length, f.l1.shapes.length + MODEL_CIRCUIT_NAMES.length);
  const circuits = deployed.map((circuit, i) => {
    const name = MODEL_CIRCUIT_NAMES[i]!;
    const verificationKeyPath = join(folder, `${name}.json`);
    const key = verifierKey({ ...circuit, index: f.l1.shapes.length + i });
    writeFileSync(verificationKeyPath, JSON.stringify(toSnarkjsKey(key)));
    const { size0, size1, sort } = circuit;
    return { name, verificationKeyPath, sort, size0, size1 };
  });
  return deploymentOn(f, circuits);
}

/** The bridge's part that reports L1's CloseEpochs to a sequencer. @param confirmations of a CloseEpoch */
export async function startRandomnessWatcher(
  { l1, rollup }: HistoryFixture,
  w: L1World,
  folder: string,
  confirmations = FINALITY_DEPTH_BLOCKS,
) {
  const parts = bridgeParts({
    rollup,
    sequencerUrl: urlOf(w),
    dataPath: join(folder, "randomness"),
    deployedAtBlock: Number(l1.deployment.blockNumber),
    operatorToken: OPERATOR_TOKEN.replaceAll(" ", "-"),
  });
  const watcher = await parts.randomnessWatcher({
    confirmations,
    finalityDepthBlocks: FINALITY_DEPTH_BLOCKS,
    maxChunkBlocks: 2_000,
  });
  return {
    poll: () => watcher.poll(),
    nextErrand: () => watcher.nextErrand(),
    stop: () => parts.closeStore(),
  };
}
