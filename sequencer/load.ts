/** How many signed transfers a second one sequencer process acknowledges, and how long each one takes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeDeployment } from "../circuits/deployment.ts";
import { PRODUCTION_SHAPE } from "../circuits/protocol.ts";
import { request, startChild, stopChild } from "./child-sequencer.ts";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  temporaryFolder,
  testDeployment,
  testEnvironment,
  testUser,
  transfer,
} from "./test-rollup.ts";

export interface Acceptance {
  readonly acceptedOperationsPerSecond: number;
  readonly acknowledgeMs: { readonly p50: number; readonly p99: number };
  readonly operationCount: number;
  readonly clientCount: number;
}

/**
 * Runs the sequencer as a process of its own with a fresh ledger on the disk. Every client is one user that sends
 * its next transfer when the last one is acknowledged; signatures are made beforehand.
 */
export async function measureAcceptance(
  options: { clientCount?: number; operationsPerClient?: number } = {},
): Promise<Acceptance> {
  const { clientCount = 8, operationsPerClient = 100 } = options;
  const folder = temporaryFolder();
  try {
    const deploymentPath = join(folder.path, "deployment.json");
    writeFileSync(deploymentPath, encodeDeployment(await testDeployment(PRODUCTION_SHAPE)));
    const child = await startChild(
      testEnvironment(join(folder.path, "data"), {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_LOG_LEVEL: "info",
        SEQUENCER_MAX_UNPOSTED_BATCHES: "100000",
      }),
    );
    try {
      await request(`${child.url}/operator/l1-head`, { blockNumber: 1, timestamp: L1_TIMESTAMP });
      await request(`${child.url}/operator/queue-entries`, { entries: depositsFor(clientCount) });
      await request(`${child.url}/operator/seal`, {});
      const users = Array.from({ length: clientCount }, (_, i) => testUser(i));
      // The first few are not measured: code that has just been loaded is slow.
      const warmUpCount = 5;
      const operations = users.map((user, i) =>
        Array.from({ length: warmUpCount + operationsPerClient }, (_, nonce) =>
          operationJson(transfer(user, users[(i + 1) % clientCount]!, BigInt(nonce))),
        ),
      );
      const send = async (from: number, to: number, client: number, latencies: number[]) => {
        for (const operation of operations[client]!.slice(from, to)) {
          const startedAt = performance.now();
          const answer = await request(`${child.url}/v1/operations`, operation);
          if (answer?.status !== "acknowledged")
            throw new Error(`not acknowledged: ${JSON.stringify(answer)}`);
          latencies.push(performance.now() - startedAt);
        }
      };
      await Promise.all(users.map((_, client) => send(0, warmUpCount, client, [])));
      const latencies: number[] = [];
      const startedAt = performance.now();
      await Promise.all(
        users.map((_, client) => send(warmUpCount, warmUpCount + operationsPerClient, client, latencies)),
      );
      const durationSeconds = (performance.now() - startedAt) / 1_000;
      latencies.sort((x, y) => x - y);
      const percentile = (share: number) =>
        latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
      return {
        acceptedOperationsPerSecond: latencies.length / durationSeconds,
        acknowledgeMs: { p50: percentile(0.5), p99: percentile(0.99) },
        operationCount: latencies.length,
        clientCount,
      };
    } finally {
      await stopChild(child);
    }
  } finally {
    folder.remove();
  }
}
