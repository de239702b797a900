/** What mixed adapters cost against the same base without any, in turns in one process and on one thread. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdapterLease, AdapterPool } from "@openledger/models/adapters/adapter-pool";
import { AdapterStore } from "@openledger/models/adapters/adapter-store";
import { BatchLoop } from "@openledger/models/batches/batch-loop";
import { type BatchModel, loadBatchModel } from "@openledger/models/batches/batch-model";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { median } from "../prove-summary.ts";
import {
  type AdapterWorld,
  adapterName,
  halfName,
  makeAdapterWorld,
  openBase,
  type WidthName,
} from "./adapter-world.ts";
import { startServingChild } from "./serving-child.ts";

const PROMPT_TOKENS = 8;
const ANSWER_TOKENS = 24;
const PAGES = 2;
/** Each asks so many questions, one after the other. */
const [CLIENTS, QUESTIONS] = [200, 5];

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
    return {
      slowdown: slowdown("cpu"),
      slowdownByWall: slowdown("wall"),
      clients: CLIENTS,
      firstTokenMs: of(({ first }) => first),
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
  const poolFloats = (adapters: number) => adapters * world.adapterFloats;
  const small = Math.min(256, count);
  const opened = await openBase(world.base, async (files) => {
    loaded = await loadBatchModel(files, {
      kernels,
      threadCount: 1,
      batch,
      maxPositions: PROMPT_ROUND,
      kvBytes: 2 ** 29,
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
  const first = await firstTokens(world, count, kernels);
  log(`${width} first token of ${CLIENTS} clients: ${first.p50} ms, ${first.p99} ms at the 99th percentile`);
  return {
    slowdown,
    oneByOne: median(costs("one by one", "cpu").map((cost, i) => cost / costs("2000", "cpu")[i]!)),
    tokensPerSecond: 1000 / median(costs("2000", "wall")),
    first,
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
      loop.join(batchRequest(id, lease, own));
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

/** One server, and customers with an address each who ask adapter after adapter: milliseconds to the first token. */
async function firstTokens({ adapters, base, cache }: AdapterWorld, count: number, kernels: KernelChoice) {
  const settings = { SERVING_KERNELS: kernels, SERVING_DATA_PATH: cache, SERVING_THREAD_COUNT: "2" };
  const child = await startServingChild(["--base", base, "--adapters", adapters], settings);
  const timesMs: number[] = [];
  const ask = async (client: number, n: number) => {
    const startedAtMs = performance.now();
    const body = { model: adapterName((client + n * CLIENTS) % count), prompt: "Question", stream: true };
    const sent = request(`${child.url}/v1/completions`, {
      ...{ method: "POST", localAddress: `127.0.1.${client + 1}` },
      headers: { "content-type": "application/json" },
    }).end(JSON.stringify({ ...body, max_tokens: ANSWER_TOKENS, temperature: 0 }));
    const [answer] = (await once(sent, "response")) as [IncomingMessage];
    if (answer.statusCode !== 200) throw new Error(`the server answers with ${answer.statusCode}`);
    let isFirst = true;
    for await (const _ of answer) {
      if (isFirst) timesMs.push(performance.now() - startedAtMs);
      isFirst = false;
    }
  };
  const customer = async (client: number) => {
    for (let n = 0; n < QUESTIONS; n++) await ask(client, n);
  };
  try {
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => customer(client)));
  } finally {
    await child.stop();
  }
  timesMs.sort((a, b) => a - b);
  const at = (part: number) => Math.round(timesMs[Math.floor(part * (timesMs.length - 1))]!);
  return { p50: at(0.5), p99: at(0.99) };
}

function batchRequest(id: number, lease: AdapterLease | null, pages: readonly number[]) {
  const maxTokens = ANSWER_TOKENS;
  const prompt = Array.from({ length: PROMPT_TOKENS }, (_, t) => (id * 37 + 11 * t) % 256);
  const adapter = lease?.adapter ?? null;
  return { id, prompt, adapter, maxTokens, temperature: 0, topP: 1, seed: "0", pages, endTokens: [] };
}
