/**
 * Measures how much longer others wait for an acknowledgement while one address asks for long lists at the rate of its
 * limit. Each address of the loopback network counts for itself.
 */
import { writeFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeDeployment } from "@openledger/circuits/registry/deployment";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { encodeBatch } from "@openledger/circuits/wire/operation-batch";
import { type ChildSequencer, request, startChild, stopChild } from "./child-sequencer.ts";
import { processTime } from "./process-time.ts";
import {
  depositsFor,
  L1_TIMESTAMP,
  operationJson,
  positionOfGenesis,
  temporaryFolder,
  testDeployment,
  testEnvironment,
  testUser,
  transfer,
} from "./test-rollup.ts";

export interface ListLoadOptions {
  readonly operationCount: number;
  /** Each list is measured once a round, in turns, so that a pause of the machine or a collection is not one list's alone. */
  readonly rounds: number;
  readonly secondsEach: number;
  /** Rate of the users' address; half of its limit. */
  readonly operationsPerSecond: number;
  /** Rate of the address that asks for lists: its limit. */
  readonly listsPerSecond: number;
}

export const DEFAULT_LIST_LOAD: ListLoadOptions = {
  operationCount: 20_000,
  rounds: 3,
  secondsEach: 15,
  operationsPerSecond: 50,
  listsPerSecond: 100,
};

const USERS = 64;
/** Requests of the address that are open at a time. */
const MAX_OPEN = 200;
const BODY_OPERATIONS = 256;

const LISTS: Readonly<Record<string, string | null>> = {
  none: null,
  log: "/v1/log?from=0&limit=500",
  operations: "/v1/operations?leaf=2&limit=200",
  records: "/v1/records?limit=50",
  batches: "/v1/batches?limit=100",
  leaves: `/v1/leaves?ids=${Array.from({ length: 100 }, (_, i) => i).join()}`,
  owner: "/v1/leaves?owner=0x00000000000000000000000000000000000000aa",
};

export interface ListLoadFigures {
  readonly acknowledgeMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly answeredPerSecond: number;
  readonly refusedPerSecond: number;
  /** Share of one core that the sequencer's process takes. */
  readonly processorShare: number;
}

class Client {
  readonly #agent: Agent;
  readonly #url: URL;

  constructor(url: string, localAddress: string) {
    this.#url = new URL(url);
    this.#agent = new Agent({ keepAlive: true, localAddress, maxSockets: MAX_OPEN });
  }

  ask(path: string, body?: Uint8Array | object): Promise<{ status: number; body: string }> {
    const { hostname, port } = this.#url;
    const isBytes = body instanceof Uint8Array;
    const headers = { "content-type": isBytes ? "application/octet-stream" : "application/json" };
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        {
          agent: this.#agent,
          hostname,
          port,
          path,
          method: body === undefined ? "GET" : "POST",
          ...(body === undefined ? {} : { headers }),
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.on("end", () =>
            resolve({ status: answer.statusCode!, body: Buffer.concat(parts).toString("latin1") }),
          );
          answer.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body === undefined || isBytes ? body : JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/**
 * Runs a sequencer as a process of its own, with the limits that it has by default.
 * @returns the figures of each round
 */
export async function measureLists(
  options: ListLoadOptions,
  log: (line: string) => void,
): Promise<Record<string, ListLoadFigures[]>> {
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
        SEQUENCER_RATE_LIMIT_PER_MINUTE: "6000",
      }),
    );
    try {
      await request(`${child.url}/operator/l1-head`, {
        blockNumber: 1,
        timestamp: L1_TIMESTAMP,
        place: positionOfGenesis(deployment),
      });
      await request(`${child.url}/operator/queue-entries`, { entries: depositsFor(USERS) });
      await request(`${child.url}/operator/close`, {});
      return await measureChild(child, options, log);
    } finally {
      await stopChild(child);
    }
  } finally {
    folder.remove();
  }
}

async function measureChild(
  child: ChildSequencer,
  options: ListLoadOptions,
  log: (line: string) => void,
): Promise<Record<string, ListLoadFigures[]>> {
  const nonces = new Array<bigint>(USERS).fill(0n);
  let next = 0;
  const operation = () => {
    const position = next++ % USERS;
    const nonce = nonces[position]!;
    nonces[position] = nonce + 1n;
    return transfer(testUser(position), testUser((position + 1) % USERS), nonce);
  };
  for (let sent = 0, address = 1; sent < options.operationCount; address++) {
    const filling = new Client(child.url, `127.0.1.${address}`);
    // An address may send 6,000 at once.
    for (let i = 0; i < 20 && sent < options.operationCount; i++, sent += BODY_OPERATIONS) {
      const body = encodeBatch(Array.from({ length: BODY_OPERATIONS }, operation));
      const { status } = await filling.ask("/v1/operations/batch", body);
      if (status !== 200) throw new Error(`a body was answered ${status}`);
    }
    filling.close();
  }
  const figures = Object.fromEntries(Object.keys(LISTS).map((name) => [name, [] as ListLoadFigures[]]));
  let address = 1;
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, path] of Object.entries(LISTS)) {
      const addresses = [`127.0.2.${address++}`, "127.0.3.1"] as const;
      const found = await besideLists(child, path, operation, { options, addresses });
      figures[name]!.push(found);
      log(`${name}: ${JSON.stringify(found)}`);
      // The limit has refilled what it spent.
      await sleep(5_000);
    }
  }
  return figures;
}

async function besideLists(
  child: ChildSequencer,
  path: string | null,
  operation: () => ReturnType<typeof transfer>,
  { addresses, options }: { addresses: readonly [string, string]; options: ListLoadOptions },
): Promise<ListLoadFigures> {
  const { listsPerSecond, operationsPerSecond, secondsEach } = options;
  const [users, asker] = addresses.map((address) => new Client(child.url, address));
  const latenciesMs: number[] = [];
  const counts = { answered: 0, refused: 0 };
  const before = processTime(child.process.pid!);
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const open = new Set<Promise<void>>();
  const lists = (async () => {
    for (let requestCount = 0; path !== null && elapsedMs() < secondsEach * 1_000; ) {
      if (open.size >= MAX_OPEN || requestCount >= (elapsedMs() / 1_000) * listsPerSecond) {
        await sleep(2);
        continue;
      }
      requestCount += 1;
      const one: Promise<void> = asker!.ask(path).then(
        ({ status }) => {
          counts[status === 200 ? "answered" : "refused"] += 1;
        },
        () => {},
      );
      open.add(one);
      void one.finally(() => open.delete(one));
    }
  })();
  const sent: Promise<void>[] = [];
  for (let i = 0; i < operationsPerSecond * secondsEach; i++) {
    const dueMs = (i * 1_000) / operationsPerSecond;
    if (dueMs > elapsedMs()) await sleep(dueMs - elapsedMs());
    const body = operationJson(operation());
    const sentAt = performance.now();
    sent.push(
      users!.ask("/v1/operations", body).then(({ body: answer, status }) => {
        if (status !== 202) throw new Error(`an operation was answered ${status}: ${answer.slice(0, 300)}`);
        latenciesMs.push(performance.now() - sentAt);
      }),
    );
  }
  await Promise.all([lists, ...sent]);
  const seconds = elapsedMs() / 1_000;
  const processorShare = (processTime(child.process.pid!).totalMs - before.totalMs) / 1_000 / seconds;
  await Promise.all(open);
  users!.close();
  asker!.close();
  const sorted = latenciesMs.sort((x, y) => x - y);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return {
    acknowledgeMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    answeredPerSecond: counts.answered / seconds,
    refusedPerSecond: counts.refused / seconds,
    processorShare,
  };
}
