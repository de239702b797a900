/** What mixed adapters cost against the same base without any, in turns in one process and on one thread. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdapterLease, AdapterPool } from "@openledger/models/internal/adapters/adapter-pool";
import { AdapterStore } from "@openledger/models/internal/adapters/adapter-store";
import { BatchLoop } from "@openledger/models/internal/batches/batch-loop";
import { type BatchModel, loadBatchModel } from "@openledger/models/internal/batches/batch-model";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { median } from "../prove-summary.ts";
import { adapterName, halfName, makeAdapterWorld, openBase, type WidthName } from "./adapter-world.ts";

const PROMPT_TOKENS = 8;
const ANSWER_TOKENS = 24;
const PAGES = 2;

interface AdaptersBenchOptions {
  readonly rounds: number;
  readonly adapters: number;
  readonly batch: number;
  readonly kernels: KernelChoice;
  readonly widths: readonly WidthName[];
}

/** Against the base. */
const COMPARED = ["1", "32", "2000", "2000 of 256", "2000 halves", "2000 halves of 256"];

/** A load: which adapter request n asks for, and which pool holds it. */
interface Contestant {
  readonly name: string;
  readonly batch: number;
  readonly requests: number;
  readonly pool: AdapterPool | null;
  /** The name of the adapter that request n asks for. */
  readonly pick: (n: number) => string;
  asked: number;
}

interface Turn {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly tokens: number;
}

const log = (line: string) => console.log(line);
const round = (value: number, digits = 1) => Math.round(value * 10 ** digits) / 10 ** digits;

export async function benchAdapters(options: AdaptersBenchOptions) {
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-adapters-"));
  try {
    const measured = new Map<WidthName, Awaited<ReturnType<typeof measureWidth>>>();
    for (const width of options.widths) measured.set(width, await measureWidth(folder, width, options));
    const of = <Value>(read: (one: Awaited<ReturnType<typeof measureWidth>>) => Value) =>
      Object.fromEntries(Array.from(measured, ([width, one]) => [width, read(one)]));
    const slowdown = (by: "cpu" | "wall") =>
      of((one) => Object.fromEntries(COMPARED.map((name) => [name, round(one.slowdown(name, by))])));
    const { first } = [...measured.values()].at(-1)!;
    return {
      slowdown: slowdown("cpu"),
      slowdownByWall: slowdown("wall"),
      coldFirstTokenMs: round(first.cold, 2),
      warmFirstTokenMs: round(first.warm, 2),
      oneByOneRatio: of(({ oneByOne }) => round(oneByOne)),
      tokensPerSecond: of(({ tokensPerSecond }) => Math.round(tokensPerSecond)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureWidth(folder: string, width: WidthName, options: AdaptersBenchOptions) {
  const { adapters: count, batch, kernels, rounds } = options;
  log(`${width}: writing a base and ${count} adapters`);
  const world = await makeAdapterWorld(folder, width, count, true);
  let loaded!: Awaited<ReturnType<typeof loadBatchModel>>;
  const adapterFloats = width === "d256" ? 32_768 : 49_152;
  const poolFloats = (adapters: number) => adapters * adapterFloats;
  const small = Math.min(256, count);
  const opened = await openBase(world.base, async (files) => {
    loaded = await loadBatchModel(files, {
      kernels,
      threadCount: 1,
      batch,
      maxPositions: PROMPT_ROUND,
      kvBytes: 2 ** 26,
      // Halves need half as much.
      adapterBytes: 4 * poolFloats(count + small + Math.ceil((count + small) / 2)),
    });
  });
  const model = loaded.models[0]!;
  const adapterStore = new AdapterStore({
    shape: opened.shape,
    folder: world.adapters,
    cacheFolder: world.cache,
  });
  const { arena } = model.kernels;
  const { at } = loaded.adapters;
  const large = new AdapterPool(arena, at, poolFloats(count), adapterStore);
  const tight = new AdapterPool(arena, at + poolFloats(count), poolFloats(small), adapterStore);
  const afterFloats = at + poolFloats(count + small);
  const halves = new AdapterPool(arena, afterFloats, poolFloats(count) / 2, adapterStore);
  const tightHalves = new AdapterPool(
    arena,
    afterFloats + poolFloats(count) / 2,
    poolFloats(small) / 2,
    adapterStore,
  );
  for (let i = 0; i < count; i++) {
    (await large.lease(adapterName(i))).release();
    (await halves.lease(halfName(i))).release();
  }
  const cycling =
    (distinct: number, nameOf = adapterName) =>
    (n: number) =>
      nameOf(n % distinct);
  const requests = 2 * batch;
  const all: Contestant[] = [
    { name: "base", batch, requests, pool: null, pick: () => "", asked: 0 },
    { name: "1", batch, requests, pool: large, pick: cycling(1), asked: 0 },
    { name: "32", batch, requests, pool: large, pick: cycling(32), asked: 0 },
    { name: "2000", batch, requests, pool: large, pick: cycling(count), asked: 0 },
    { name: "2000 of 256", batch, requests, pool: tight, pick: cycling(count), asked: 0 },
    { name: "2000 halves", batch, requests, pool: halves, pick: cycling(count, halfName), asked: 0 },
    {
      name: "2000 halves of 256",
      ...{ batch, requests, pool: tightHalves, pick: cycling(count, halfName), asked: 0 },
    },
    { name: "one by one", batch: 1, requests: 4, pool: large, pick: cycling(count), asked: 0 },
  ];
  const turns = new Map<string, Turn[]>(all.map(({ name }) => [name, []]));
  for (let r = -1; r < rounds; r++)
    for (let i = 0; i < all.length; i++) {
      const contestant = all[(i + Math.max(0, r)) % all.length]!;
      const turn = await takeTurn(model, contestant);
      // The first round warms everything up.
      if (r >= 0) turns.get(contestant.name)!.push(turn);
    }
  const costs = (name: string, by: "cpu" | "wall") =>
    turns.get(name)!.map(({ cpuMs, tokens, wallMs }) => (by === "cpu" ? cpuMs : wallMs) / tokens);
  /** Percent over the base of the same round. */
  const slowdown = (name: string, by: "cpu" | "wall") => {
    const base = costs("base", by);
    return median(costs(name, by).map((cost, i) => 100 * (cost / base[i]! - 1)));
  };
  for (const { name } of all)
    log(
      `${width} ${name.padEnd(18)} ${Math.round(1000 / median(costs(name, "wall")))} tokens/s, ${slowdown(name, "cpu").toFixed(1)} % over the base by processor time, ${slowdown(name, "wall").toFixed(1)} % by wall time`,
    );
  log(`${width} pool of ${small}: ${tight.counts.loads} loads, ${tight.counts.evictions} evictions`);
  // The small pool holds the last ones of the cycle; those after them are cold.
  const next = (all[4]!.asked + 10) % Math.max(1, count - 40);
  const [cold, warm] = await firstTokens(
    model,
    [
      { pool: tight, first: next },
      { pool: large, first: next },
    ],
    40,
  );
  log(`${width} first token: ${warm!.toFixed(2)} ms warm, ${cold!.toFixed(2)} ms cold`);
  return {
    slowdown,
    oneByOne: median(costs("one by one", "cpu").map((cost, i) => cost / costs("2000", "cpu")[i]!)),
    tokensPerSecond: 1000 / median(costs("2000", "wall")),
    first: { cold: cold!, warm: warm! },
  };
}

const PROMPT_ROUND = 64;

/** Requests of a fixed length, a new one in the place of each that ends. */
async function takeTurn(model: BatchModel, contestant: Contestant): Promise<Turn> {
  const { batch, pick, pool, requests } = contestant;
  const loop = new BatchLoop(model);
  const leases = new Map<number, { lease: AdapterLease | null; pages: number[] }>();
  const pages = Array.from({ length: batch }, (_, i) => [PAGES * i, PAGES * i + 1]);
  let left = requests;
  let tokens = 0;
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  while (left > 0 || loop.size > 0) {
    while (left > 0 && loop.size < batch) {
      left -= 1;
      const id = contestant.asked++;
      const lease = pool === null ? null : await pool.lease(pick(id));
      const own = pages.pop()!;
      leases.set(id, { lease, pages: own });
      loop.join(request(id, lease, own, ANSWER_TOKENS));
    }
    for (const { end, id } of loop.step()) {
      tokens += 1;
      if (end === null) continue;
      const ended = leases.get(id)!;
      ended.lease?.release();
      pages.push(ended.pages);
      leases.delete(id);
    }
  }
  const { system, user } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - startedAtMs, cpuMs: (system + user) / 1000, tokens };
}

/**
 * Milliseconds from the question to its first token beside a batch that is nearly full: medians of `count`, one of each
 * list in turns.
 */
async function firstTokens(
  model: BatchModel,
  lists: readonly { readonly pool: AdapterPool; readonly first: number }[],
  count: number,
): Promise<number[]> {
  const loop = new BatchLoop(model);
  const { slotCount } = model.buffers;
  const times = lists.map((): number[] => []);
  const pagesOf = (i: number) => [PAGES * i, PAGES * i + 1, 2 * slotCount + i, 3 * slotCount + i];
  let others = Array.from({ length: slotCount - 1 }, (_, i) => i + 1);
  for (let n = 0; n < count; n++) {
    for (const [i, { first, pool }] of lists.entries()) {
      // The others' answers are long; they begin again when they end.
      for (const other of others) loop.join(request(-other, null, pagesOf(other), 50));
      others = [];
      const startedAtMs = performance.now();
      const lease = await pool.lease(adapterName(first + n));
      loop.join(request(1, lease, [0, 1], 1));
      for (let isThere = false; !isThere; ) {
        const tokens = loop.step();
        isThere = tokens.some(({ id }) => id === 1);
        others.push(...tokens.filter(({ end, id }) => id < 0 && end !== null).map(({ id }) => -id));
      }
      times[i]!.push(performance.now() - startedAtMs);
      lease.release();
    }
  }
  return times.map(median);
}

function request(id: number, lease: AdapterLease | null, pages: readonly number[], maxTokens: number) {
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, t) => (Math.abs(id) * 37 + 11 * t) % 256);
  const adapter = lease?.adapter ?? null;
  return { id, prompt, adapter, maxTokens, temperature: 0, topP: 1, seed: "0", pages, endTokens: [] };
}
