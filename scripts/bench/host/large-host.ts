/**
 * Measures a Datanet host with very many rows, for `npm run bench -- sequencer --host`: its start and memory, searches,
 * statistics, and the queue of labellers, over HTTP.
 */
import { contributionRoot, digestToField } from "@openledger/circuits/ledger/version-rows";
import { findRows } from "@openledger/client/datanets/browse-rows";
import { getStatistics, nextRows } from "@openledger/client/datanets/label-turns";
import { nameCard } from "@openledger/datanets/card/card";
import { encodeDigests } from "@openledger/datanets/rows/row-wire";
import { HOST_PART } from "@openledger/datanets/store/host-schema";
import { HostStore } from "@openledger/datanets/store/host-store";
import { Quotas } from "@openledger/datanets/store/quotas";
import { startChildHost } from "@openledger/datanets/testing/child-host";
import type { HostWorld } from "@openledger/datanets/testing/host-world";
import { Database } from "@openledger/foundation/database/database";
import { createLogger } from "@openledger/foundation/logger";
import { testDeployment } from "@openledger/sequencer/testing/test-rollup";
import { BENCH_CARD, sha256 } from "./bench-world.ts";
import { familyMb, residentMb, serverPid } from "./process-figures.ts";
import { madeRows, searches } from "./texts.ts";

const ROWS_A_COMMIT = 100_000;
const ROWS_A_PIECE = 2_000;
const NAME = "large";
/** Turns of labellers that are timed, by four of them. */
const TURNS = 200;
const LABELLERS = 4;
/** Searches that do not count. */
const WARM_UP = 30;

interface LargeHostOptions {
  readonly rowCount: number;
  /** Searches of each kind. */
  readonly searchCount: number;
}

export async function measureLargeHost(world: HostWorld, { rowCount, searchCount }: LargeHostOptions) {
  const environment = await world.environment(NAME);
  const url = environment.DATANET_DATABASE_URL!;
  const loadedPerSecond = await load(world, url, rowCount);
  console.log(`${rowCount} rows stored at ${loadedPerSecond} a second`);
  const startedAtMs = performance.now();
  const child = await startChildHost({ ...environment, DATANET_LEDGER_CACHE_MS: "2000" });
  const startMs = Math.round(performance.now() - startedAtMs);
  try {
    const startMb = Math.round(residentMb(child.process.pid!));
    console.log(`a host of them listens after ${startMs} ms, with ${startMb} MB`);
    const location = { hostUrl: child.url, datanetId: world.datanetId };
    const reader = await world.user(1);
    // A process that has just started compiles its code.
    for (let i = 0; i < WARM_UP; i++) await findRows(reader, { ...location, text: `warm ${i}`, limit: 50 });
    const searchMs: Record<string, Percentiles> = {};
    const all: number[] = [];
    for (const [kind, texts] of searches(searchCount, rowCount)) {
      const times: number[] = [];
      for (const text of texts)
        times.push(await timed(() => findRows(reader, { ...location, text, limit: 50 })));
      searchMs[kind] = percentilesOf(times);
      all.push(...times);
      console.log(`search, ${kind} (${texts.length}): ${showMs(searchMs[kind])}`);
    }
    const listMs: Record<string, number> = {};
    const lists = {
      "all rows, the last page": { at: rowCount - 50 },
      "state waiting": { state: "waiting" },
      "state disputed": { state: "disputed" },
      "of a contributor": { contributor: 3 },
    } as const;
    for (const [name, query] of Object.entries(lists))
      listMs[name] = await timed(() => findRows(reader, { ...location, ...query, limit: 50 }));
    listMs.statistics = await timed(() => getStatistics(reader, location));
    console.log(`lists, ms: ${JSON.stringify(listMs)}`);
    const labellers = await Promise.all(Array.from({ length: LABELLERS }, (_, i) => world.user(2 + i)));
    const turnTimes: number[] = [];
    for (let turn = 0; turn < TURNS; turn++)
      turnTimes.push(await timed(() => nextRows(labellers[turn % LABELLERS]!, { ...location, limit: 10 })));
    const queueMs = percentilesOf(turnTimes);
    const server = await serverPid(url);
    console.log(`next ten rows of a labeller: ${showMs(queueMs)}`);
    return {
      rowCount,
      loadedPerSecond,
      startMs,
      startMb,
      searchedMb: Math.round(residentMb(child.process.pid!)),
      serverMb: server === null ? null : Math.round(familyMb(server)),
      searchMs: { all: percentilesOf(all), ...searchMs },
      listMs,
      queueMs,
    };
  } finally {
    await child.end("SIGTERM");
  }
}

/** Stores rows as a host does that gets them in pieces, and lets the server look at its tables, as it does by itself later. */
async function load(world: HostWorld, url: string, rowCount: number): Promise<number> {
  const { chainId, domain, rollupAddress } = await testDeployment();
  const logger = createLogger("bench", "warn", process.stderr);
  const database = await Database.open({ url, part: HOST_PART, rollup: { chainId, rollupAddress }, logger });
  try {
    const store = new HostStore(database, domain);
    const limits = { quotaBytesPerDay: 1e15, quotaRecordsPerDay: 1e9, maxStoreBytes: 1e15 };
    const account = { leafId: 3, quotas: new Quotas(limits, Date.now) };
    const datanet = await store.openOrMake(world.datanetId);
    await datanet.addCard(nameCard(BENCH_CARD));
    const startedAtMs = performance.now();
    for (let first = 0; first < rowCount; first += ROWS_A_COMMIT) {
      const rows = madeRows(Math.min(ROWS_A_COMMIT, rowCount - first), first);
      const digests = rows.map(sha256);
      const rowsRoot = contributionRoot(digests.map((digest) => digestToField(Buffer.from(digest, "hex"))));
      const commitIndex = first / ROWS_A_COMMIT;
      const facts = { isFinal: true, committedAtMs: Date.now(), opIndex: commitIndex };
      const commit = await datanet.addList(
        encodeDigests(digests),
        {
          commit: { ...facts, rowsRoot, contributorId: 3 + (commitIndex % 2), rowCount: rows.length },
          commitIndex,
        },
        account,
      );
      for (let from = 0; from < rows.length; from += ROWS_A_PIECE)
        await datanet.addRows(commit, from, rows.slice(from, from + ROWS_A_PIECE), account);
      await store.describeAll();
      console.log(`${first + rows.length} rows`);
    }
    const loadedPerSecond = Math.round((1_000 * rowCount) / (performance.now() - startedAtMs));
    for (const table of ["rows", "row_words", "contents"]) await database.query(`vacuum analyze ${table}`);
    return loadedPerSecond;
  } finally {
    await database.close();
  }
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function percentilesOf(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1)! };
}

const showMs = ({ max, p50, p99 }: Percentiles) => `p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return Math.round(10 * (performance.now() - startedAtMs)) / 10;
}
