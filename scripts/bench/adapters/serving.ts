/** Many clients that stream from a server of adapters in a process of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { adapterName, makeAdapterWorld } from "./adapter-world.ts";
import { type ServingChild, startServingChild } from "./serving-child.ts";

export interface ServingBenchOptions {
  readonly seconds: number;
  readonly clients: number;
  readonly adapters: number;
  readonly kernels: string;
}

interface Tally {
  done: number;
  lost: number;
  refused: number;
  tokens: number;
  readonly firstTokenMs: number[];
  readonly failures: Map<string, number>;
}

/** Adapters that fit into the server's memory: a fifth of a thousand. */
const ADAPTER_MEGABYTES = 26;
const SAMPLE_MS = 2_000;

export async function benchServing(options: ServingBenchOptions) {
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-serving-"));
  console.log(`writing a base of width 256 and ${options.adapters} adapters`);
  const world = await makeAdapterWorld(folder, "d256", options.adapters);
  const child = await startServingChild(["--base", world.base, "--adapters", world.adapters], {
    SERVING_DATA_PATH: dirname(world.cache),
    SERVING_KERNELS: options.kernels,
    // One machine is all clients.
    SERVING_MAX_CONNECTIONS: "10000",
    SERVING_RATE_LIMIT_PER_MINUTE: "10000000",
    SERVING_ADAPTER_MEGABYTES: String(ADAPTER_MEGABYTES),
  });
  try {
    return await load(child, options);
  } finally {
    await child.stop();
    await rm(folder, { recursive: true });
  }
}

async function load(child: ServingChild, options: ServingBenchOptions) {
  const { url } = child;
  const { adapters, clients, seconds } = options;
  const tally: Tally = { done: 0, lost: 0, refused: 0, tokens: 0, firstTokenMs: [], failures: new Map() };
  const endsAtMs = performance.now() + 1_000 * seconds;
  const memory: number[] = [];
  const sampling = setInterval(
    () => void child.residentMegabytes().then((size) => memory.push(size)),
    SAMPLE_MS,
  );
  const silent = silentReaders(new URL(url));
  let next = 0;
  const client = async (own: number) => {
    while (performance.now() < endsAtMs) await ask(url, own, next++ % adapters, tally);
  };
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: clients }, (_, i) => client(i)));
  const tookSeconds = (performance.now() - startedAtMs) / 1000;
  clearInterval(sampling);
  for (const socket of silent) socket.destroy();
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const gauge = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? 0);
  const sorted = tally.firstTokenMs.sort((a, b) => a - b);
  const part = (p: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0);
  const quarter = memory.length >> 2;
  const middle = (values: readonly number[]) =>
    Math.round([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0);
  const rss = {
    secondQuarterMegabytes: middle(memory.slice(quarter, 2 * quarter)),
    lastQuarterMegabytes: middle(memory.slice(-quarter)),
  };
  const problems = Array.from(tally.failures, ([what, count]) => `${count} requests: ${what}`);
  if (rss.lastQuarterMegabytes > 1.1 * rss.secondQuarterMegabytes)
    problems.push("memory grew by more than a tenth");
  return {
    problems,
    serving: {
      seconds: Math.round(tookSeconds),
      clients,
      adapters,
      requests: tally.done,
      lost: tally.lost,
      refused: tally.refused,
      tokensPerSecond: Math.round(tally.tokens / tookSeconds),
      firstTokenMs: { p50: part(0.5), p99: part(0.99), most: part(1) },
      adapterLoads: gauge("serving_adapter_loads"),
      adapterHits: gauge("serving_adapter_hits"),
      activeAtEnd: gauge("serving_requests_active"),
      ...rss,
    },
  };
}

/** One question; its answer must come whole. */
async function ask(url: string, own: number, adapter: number, tally: Tally): Promise<void> {
  const askedAtMs = performance.now();
  const body = {
    model: adapterName(adapter),
    prompt: `Client ${own} asks adapter ${adapter}: `,
    max_tokens: 16 + (own % 33),
    seed: own,
    stream: true,
  };
  try {
    const response = await fetch(`${url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer client-${own}` },
      body: JSON.stringify(body),
    });
    if (response.status === 429) {
      tally.refused += 1;
      await response.text();
      await new Promise((go) => setTimeout(go, 1_000 * Number(response.headers.get("retry-after") ?? 1)));
      return;
    }
    if (!response.ok) throw new Error(await response.text());
    let isFirst = true;
    let text = "";
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      if (isFirst) tally.firstTokenMs.push(performance.now() - askedAtMs);
      isFirst = false;
      text += chunk;
    }
    if (!text.endsWith("data: [DONE]\n\n") || !text.includes('"finish_reason":"length"'))
      throw new Error(`the stream ended with ${text.slice(-80)}`);
    tally.done += 1;
    tally.tokens += body.max_tokens;
  } catch (error) {
    tally.lost += 1;
    const what = error instanceof Error ? error.message : String(error);
    tally.failures.set(what, (tally.failures.get(what) ?? 0) + 1);
  }
}

/** Clients that ask and never read: the others must not feel them. */
function silentReaders({ port }: URL) {
  const body = JSON.stringify({ model: "base", prompt: "x", max_tokens: 400, stream: true });
  const head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
  return Array.from({ length: 4 }, () => {
    const socket = connect(Number(port), "127.0.0.1");
    socket.pause();
    socket.on("error", () => undefined);
    for (let i = 0; i < 4; i++) socket.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
    return socket;
  });
}
