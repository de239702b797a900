/**
 * Measures how many signed transfers a second one sequencer process acknowledges, how long each takes, and what each
 * costs.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SignedOperation } from "@openledger/circuits/ledger/operation";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { encodeBatch } from "@openledger/circuits/wire/operation-batch";
import { type ChildSequencer, request, startChild, stopChild } from "./child-sequencer.ts";
import { LoadConnection, postBytes } from "./load-connection.ts";
import { processTime, timeBetween } from "./process-time.ts";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  positionOfGenesis,
  type TestUser,
  temporaryFolder,
  testDeployment,
  testEnvironment,
  testUser,
  transfer,
} from "./test-rollup.ts";

interface LoadOptions {
  /** Number of users, each with one leaf, in one part of the tree. */
  readonly userCount: number;
  /** Connections of the closed loop: each sends its next operation when the last one is acknowledged. */
  readonly connectionCount: number;
  readonly operationCount: number;
  /** Operations in a body of the loop that sends bytes: each connection sends its next body when the last one is answered. */
  readonly batchSize: number;
  readonly batchedCount: number;
  /** Rate of the open loop, which does not wait for answers. */
  readonly operationsPerSecond: number;
  readonly openLoopSeconds: number;
  /** Operations with a wrong signature beside the open loop's good ones. */
  readonly badPerSecond: number;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Processor time of the sequencer's process per operation: it holds on a busy machine too. */
export interface Cost {
  readonly totalMs: number;
  readonly mainThreadMs: number;
}

interface LoadFigures {
  /** Operations acknowledged a second, in bodies of many. */
  readonly acceptedPerSecond: number;
  readonly batches: { readonly acknowledgeMs: Latency; readonly perOperation: Cost };
  /** Figures of the loop that sends one by one, as JSON. */
  readonly closedLoop: {
    readonly acceptedPerSecond: number;
    readonly acknowledgeMs: Latency;
    readonly perOperation: Cost;
  };
  readonly openLoop: { readonly acknowledgeMs: Latency; readonly perOperation: Cost };
  /** The good ones' latency beside the bad ones; the cost is that of any of both. */
  readonly flood: {
    readonly acknowledgeMs: Latency;
    readonly refusedCount: number;
    readonly perRequest: Cost;
  };
  readonly closedBatchCount: number;
  readonly options: LoadOptions;
}

export const DEFAULT_LOAD: LoadOptions = {
  userCount: 512,
  connectionCount: 64,
  operationCount: 8_192,
  batchSize: 64,
  batchedCount: 49_152,
  operationsPerSecond: 200,
  openLoopSeconds: 10,
  badPerSecond: 400,
};

const WARM_UP_ROUNDS = 2;
/** Operations in bodies before the measurement: V8 has compiled the code after about as many. */
const WARM_UP_BATCHED = 8_192;
/** Bytes of an acknowledged operation in a binary answer. */
const ACKNOWLEDGED_BYTES = 115;

const latencyOf = (latenciesMs: readonly number[]): Latency => {
  const sorted = [...latenciesMs].sort((x, y) => x - y);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p99: at(0.99) };
};

/** A user's next transfers, as bytes to be sent. */
class Sender {
  readonly #user: TestUser;
  readonly #to: TestUser;
  #nonce = 0n;

  constructor(user: TestUser, to: TestUser) {
    this.#user = user;
    this.#to = to;
  }

  nextOperation(): SignedOperation {
    return transfer(this.#user, this.#to, this.#nonce++);
  }

  next(): Buffer {
    return postBytes("/v1/operations", operationJson(this.nextOperation()));
  }

  /** Signed over another nonce than it has: formed well, and refused for its signature alone. */
  bad(): Buffer {
    const { signature } = transfer(this.#user, this.#to, this.#nonce + 1n);
    return postBytes(
      "/v1/operations",
      operationJson({ ...transfer(this.#user, this.#to, this.#nonce), signature }),
    );
  }
}

/**
 * Runs the sequencer as a process of its own with a fresh ledger on the disk; signatures are made beforehand.
 * @param log told what is going on
 */
export async function measureLoad(options: LoadOptions, log: (line: string) => void): Promise<LoadFigures> {
  const folder = temporaryFolder();
  try {
    const deploymentPath = join(folder.path, "deployment.json");
    const deployment = await testDeployment(PRODUCTION_SHAPE);
    writeFileSync(deploymentPath, encodeDeployment(deployment));
    const child = await startChild(
      testEnvironment(join(folder.path, "data"), {
        SEQUENCER_DEPLOYMENT_PATH: deploymentPath,
        SEQUENCER_LOG_LEVEL: "info",
        SEQUENCER_MAX_UNPOSTED_BATCHES: "100000",
        SEQUENCER_SIGNATURE_THREADS: "1",
      }),
    );
    try {
      return await measureChild(child, positionOfGenesis(deployment), options, log);
    } finally {
      await stopChild(child);
    }
  } finally {
    folder.remove();
  }
}

async function measureChild(
  child: ChildSequencer,
  place: object,
  options: LoadOptions,
  log: (line: string) => void,
): Promise<LoadFigures> {
  const { userCount, connectionCount, operationCount } = options;
  log(`funding ${userCount} users`);
  await request(`${child.url}/operator/l1-head`, { blockNumber: 1, timestamp: L1_TIMESTAMP, place });
  const deposits = depositsFor(userCount);
  for (let from = 0; from < userCount; from += 100)
    await request(`${child.url}/operator/queue-entries`, { entries: deposits.slice(from, from + 100) });
  await request(`${child.url}/operator/close`, {});
  const users = Array.from({ length: userCount }, (_, i) => testUser(i));
  const senders = users.map((user, i) => new Sender(user, users[(i + 1) % userCount]!));
  const { operationsPerSecond, openLoopSeconds, badPerSecond } = options;
  const openCount = operationsPerSecond * openLoopSeconds;
  const badCount = badPerSecond * openLoopSeconds;
  // All before the first connection: the sequencer ends connections that are silent for long.
  log(
    `signing ${operationCount + WARM_UP_BATCHED + options.batchedCount + 2 * openCount + badCount} transfers`,
  );
  const rounds = Math.ceil(operationCount / userCount);
  const [warmUp, counted] = [WARM_UP_ROUNDS, rounds].map((count) => roundsOf(senders, count));
  const [warmUpBodies, bodies] = [WARM_UP_BATCHED, options.batchedCount].map((count) =>
    bodiesOf(senders, options.batchSize, count),
  );
  // Good ones come from the first half of the users, bad ones from the second: neither waits for the other's nonce.
  const half = Math.floor(userCount / 2);
  const take = (count: number) => Array.from({ length: count }, (_, i) => senders[i % half]!.next());
  const [alone, beside] = [take(openCount), take(openCount)];
  const bad = Array.from({ length: badCount }, (_, i) => senders[half + (i % half)]!.bad());
  const connections = await Promise.all(
    Array.from({ length: connectionCount }, () => LoadConnection.open(child.url)),
  );
  const pid = child.process.pid!;
  const closedBatches = async () => (await request(`${child.url}/v1/status`)).batches.closed as number;
  try {
    const closedBefore = await closedBatches();
    await runClosed(connections, warmUp!);
    log("closed loop");
    const closed = await withTime(pid, () => runClosed(connections, counted!));
    const closedOperations = rounds * userCount;
    log("closed loop of bodies");
    await runBodies(connections, warmUpBodies!, options.batchSize);
    const batched = await withTime(pid, () => runBodies(connections, bodies!, options.batchSize));
    log("open loop");
    const open = await withTime(pid, () => runOpen(connections, alone, operationsPerSecond, 202));
    log("open loop beside bad signatures");
    const middle = Math.floor(connectionCount / 2);
    const flood = await withTime(pid, async () => {
      const [good] = await Promise.all([
        runOpen(connections.slice(0, middle), beside, operationsPerSecond, 202),
        runOpen(connections.slice(middle), bad, badPerSecond, 422),
      ]);
      return good;
    });
    return {
      acceptedPerSecond: options.batchedCount / (batched.wallMs / 1_000),
      batches: {
        acknowledgeMs: latencyOf(batched.result),
        perOperation: costOf(batched.time, options.batchedCount),
      },
      closedLoop: {
        acceptedPerSecond: closedOperations / (closed.wallMs / 1_000),
        acknowledgeMs: latencyOf(closed.result),
        perOperation: costOf(closed.time, closedOperations),
      },
      openLoop: { acknowledgeMs: latencyOf(open.result), perOperation: costOf(open.time, openCount) },
      flood: {
        acknowledgeMs: latencyOf(flood.result),
        refusedCount: badCount,
        perRequest: costOf(flood.time, openCount + badCount),
      },
      closedBatchCount: (await closedBatches()) - closedBefore,
      options,
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

const costOf = ({ totalMs, mainMs }: { totalMs: number; mainMs: number }, count: number): Cost => ({
  totalMs: totalMs / count,
  mainThreadMs: mainMs / count,
});

/** Every sender's next operation, several times over. */
const roundsOf = (senders: readonly Sender[], count: number): Buffer[][] =>
  senders.map((sender) => Array.from({ length: count }, () => sender.next()));

/** Bodies by connection: a connection's users are its own, so that no body waits for another's nonces. */
function bodiesOf(senders: readonly Sender[], batchSize: number, count: number): Buffer[][] {
  const rounds = count / senders.length;
  return Array.from({ length: Math.ceil(senders.length / batchSize) }, (_, i) => {
    const own = senders.slice(i * batchSize, (i + 1) * batchSize);
    return Array.from({ length: rounds }, () =>
      postBytes("/v1/operations/batch", encodeBatch(own.map((sender) => sender.nextOperation()))),
    );
  });
}

/** @returns milliseconds of each body */
async function runBodies(
  connections: readonly LoadConnection[],
  bodies: readonly (readonly Buffer[])[],
  batchSize: number,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  await Promise.all(
    bodies.map(async (own, i) => {
      for (const bytes of own) {
        const sentAt = performance.now();
        const { body, status } = await connections[i]!.send(bytes);
        latenciesMs.push(performance.now() - sentAt);
        const at = Array.from({ length: batchSize }, (_, position) => 2 + position * ACKNOWLEDGED_BYTES);
        const isWhole = body.length === 2 + batchSize * ACKNOWLEDGED_BYTES;
        if (status !== 200 || !isWhole || at.some((position) => body.charCodeAt(position) !== 1))
          throw new Error(`answered ${status}: ${body.slice(0, 500)}`);
      }
    }),
  );
  return latenciesMs;
}

async function withTime<T>(pid: number, run: () => Promise<T>) {
  const [before, startedAt] = [processTime(pid), performance.now()];
  const result = await run();
  return { result, time: timeBetween(before, processTime(pid)), wallMs: performance.now() - startedAt };
}

async function sendOne(connection: LoadConnection, bytes: Buffer, requestStatus: number): Promise<void> {
  const { body, status } = await connection.send(bytes);
  const isAcknowledged = requestStatus !== 202 || body.includes('"acknowledged"');
  if (status !== requestStatus || !isAcknowledged) throw new Error(`answered ${status}: ${body}`);
}

/** Every connection has its own users and goes round among them. @returns milliseconds of each operation */
async function runClosed(
  connections: readonly LoadConnection[],
  operations: readonly (readonly Buffer[])[],
): Promise<number[]> {
  const latenciesMs: number[] = [];
  await Promise.all(
    connections.map(async (connection, position) => {
      const own = operations.filter((_, i) => i % connections.length === position);
      for (let round = 0; round < (own[0]?.length ?? 0); round++) {
        for (const ofUser of own) {
          const sentAt = performance.now();
          await sendOne(connection, ofUser[round]!, 202);
          latenciesMs.push(performance.now() - sentAt);
        }
      }
    }),
  );
  return latenciesMs;
}

/** Sends at a fixed rate, on whichever connection is free. @returns milliseconds from when each was due to its answer */
async function runOpen(
  connections: readonly LoadConnection[],
  operations: readonly Buffer[],
  perSecond: number,
  requestStatus: number,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < operations.length) {
        const position = next++;
        const dueAt = startedAt + (position * 1_000) / perSecond;
        const waitMs = dueAt - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        await sendOne(connection, operations[position]!, requestStatus);
        latenciesMs.push(performance.now() - dueAt);
      }
    }),
  );
  return latenciesMs;
}
