/** A Datanet host: rows uploaded and checked, search in a million rows, near-duplicates, agreement. */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { nearDuplicates } from "@openledger/attribution/rows/near-duplicates";
import type { Estimate } from "@openledger/attribution/testing/quality-metrics";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { uploadRows } from "@openledger/client/datanets/upload-rows";
import { cohenKappa, fleissKappa, krippendorffAlpha } from "@openledger/datanets/records/agreement";
import { RowTable } from "@openledger/datanets/store/row-table";
import { startChildHost } from "@openledger/datanets/testing/child-host";
import { createHostWorld } from "@openledger/datanets/testing/host-world";
import { sampleCard, sampleRows } from "@openledger/datanets/testing/sample-card";
import { measureCleaning } from "./quality/cleaning-quality.ts";

const PIECE = 10_000;
const QUERY_COUNT = 500;
const WORD_COUNT = 60_000;
const WORDS_A_ROW = 25;

interface BenchDatanetsOptions {
  readonly rows: number;
  readonly searched: number;
  readonly compared: number;
}

export async function benchDatanets(options: BenchDatanetsOptions) {
  const rowsPerSecond = await measureUpload(options.rows);
  console.log(`${options.rows} rows uploaded and checked: ${rowsPerSecond} a second`);
  const duplicatesPerSecond = measureDuplicates(options.compared);
  console.log(`near-duplicates among ${options.compared} texts: ${duplicatesPerSecond} rows a second`);
  const search = measureSearch(options.searched);
  console.log(
    `${options.searched} rows indexed at ${search.indexedPerSecond} a second, ${search.wordCount} words; searches ${search.searchMs.p50} ms, 99 of 100 within ${search.searchMs.p99} ms`,
  );
  const cleaning = measureCleaning("cleaning") as unknown as Record<string, Estimate>;
  for (const [name, { high, low, value }] of Object.entries(cleaning))
    console.log(`cleaning, ${name}: AUC ${value.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`);
  return {
    datanets: {
      rowsPerSecond,
      searchMs: search.searchMs,
      duplicatesPerSecond,
      peakMb: search.peakMb,
      agreementMatches: agreementMatches(),
      cleaning: Object.fromEntries(Object.entries(cleaning).map(([name, { value }]) => [name, value])),
    },
  };
}

/** By one account, to a host that is a process of its own; every piece is on disk before it is acknowledged. */
async function measureUpload(rowCount: number): Promise<number> {
  const world = await createHostWorld({ card: sampleCard() });
  const child = await startChildHost(world.environment(`${world.folder}/host`));
  try {
    const alice = await world.user(1);
    const rows = sampleRows(rowCount);
    const rowsRoot = contributionRoot(rows.map(hashRow));
    const digests = rows.map((row) => createHash("sha256").update(row).digest("hex"));
    await commitData(alice, { datanetId: world.datanetId, rowsRoot, rowCount });
    await world.finalise();
    const place = { hostUrl: child.url, datanetId: world.datanetId };
    await bringCard(alice, { ...place, card: sampleCard() });
    const startedAtMs = performance.now();
    await uploadRows(alice, { ...place, source: { rowsRoot, digests, row: (index) => rows[index]! } });
    return Math.round(rowCount / ((performance.now() - startedAtMs) / 1_000));
  } finally {
    await child.end("SIGTERM");
    await world.close();
  }
}

/** Rows of words whose frequencies fall as 1 / rank, as in natural text. */
function* syntheticRows(count: number): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const random = numbers();
  const word = () => `w${Math.floor(WORD_COUNT ** random()).toString(36)}`;
  for (let i = 0; i < count; i++) {
    yield encoder.encode(`${Array.from({ length: WORDS_A_ROW }, word).join(" ")} row${i}`);
  }
}

function measureDuplicates(count: number): number {
  const contents = [...syntheticRows(count)];
  const startedAtMs = performance.now();
  nearDuplicates({ kind: "text", labels: new Int32Array(count), contents });
  return Math.round(count / ((performance.now() - startedAtMs) / 1_000));
}

function measureSearch(count: number) {
  const table = new RowTable();
  const card = sampleCard();
  let piece: { digest: Uint8Array; content: Uint8Array; length: number; commit: number; index: number }[] =
    [];
  const startedAtMs = performance.now();
  const flush = () => {
    table.add(`blob ${table.size}`, piece);
    for (const { content } of piece) table.describe(card, content);
    piece = [];
  };
  let index = 0;
  for (const content of syntheticRows(count)) {
    const digest = createHash("sha256").update(content).digest();
    piece.push({ digest, content, length: content.length, commit: 0, index });
    index += 1;
    if (piece.length === PIECE) flush();
  }
  flush();
  const indexedPerSecond = Math.round(count / ((performance.now() - startedAtMs) / 1_000));
  const random = numbers();
  const times = Array.from({ length: QUERY_COUNT }, () => {
    const words = Array.from({ length: 2 }, () => `w${Math.floor(WORD_COUNT ** random()).toString(36)}`);
    const before = performance.now();
    table.search.find(words.join(" "));
    return performance.now() - before;
  }).sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.floor(share * times.length)]! * 100) / 100;
  return {
    indexedPerSecond,
    wordCount: table.search.wordCount,
    searchMs: { p50: at(0.5), p99: at(0.99) },
    peakMb: Math.round(process.resourceUsage().maxRSS / 1_024),
  };
}

/** Published figures that agreement.test.ts has with their sources; here one of each method. */
function agreementMatches(): boolean {
  const grants = [20, 5, 10, 15].flatMap((count, i) =>
    Array<[string, string]>(count).fill([i < 2 ? "yes" : "no", i % 2 === 0 ? "yes" : "no"]),
  );
  const raters = ["0000e", "02642", "00356", "03920", "22811", "77000", "32630", "25322", "65210", "02237"];
  const observers = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"];
  const ofCounts = (row: string) =>
    new Map([...row].map((count, i) => [String(i), Number.parseInt(count, 16)] as const));
  const ofValues = (row: string) => {
    const counts = new Map<string, number>();
    for (const value of row) counts.set(value, (counts.get(value) ?? 0) + 1);
    return counts;
  };
  return [
    [cohenKappa(grants), 0.4],
    [fleissKappa(raters.map(ofCounts)), 0.21],
    [krippendorffAlpha(observers.map(ofValues)), 0.743],
  ].every(([value, published]) => Math.abs(value! - published!) < 0.0005);
}

/** The same numbers in 0 … 1 each time (mulberry32). */
function numbers(): () => number {
  let state = 7;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
