/**
 * llama.cpp on the processor for `npm run bench -- models`, by node-llama-cpp, which is no dependency (80 MB): it is installed
 * on demand.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const VERSION = "3.22.1";
const EXACT_CACHE = { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" };

interface Sequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncIterable<number>;
  controlledEvaluate(
    items: readonly unknown[],
  ): Promise<{ next?: { probabilities?: ReadonlyMap<number, number> } }[]>;
}
interface Disposable {
  dispose(): Promise<void>;
}
interface Llama {
  loadModel(
    options: object,
  ): Promise<
    Disposable & { createContext(options: object): Promise<Disposable & { getSequence(): Sequence }> }
  >;
}

/** Its libraries for processors with AVX-512, of which it loads the best that this one has. */
const WIDE = /^libggml-cpu-(cannonlake|cascadelake|cooperlake|icelake|sapphirerapids|skylakex|zen4)\.so$/;

/**
 * @param parent has node_modules in the folder `instructions`, or gets them: without what is for graphics cards, and without scripts
 * @param instructions avx2: without the libraries for AVX-512
 */
export async function openLlama(
  parent: string,
  threadCount: number,
  instructions: "native" | "avx2",
): Promise<Llama> {
  const folder = instructions === "native" ? parent : join(parent, instructions);
  const path = join(folder, "node_modules/node-llama-cpp/dist/index.js");
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), "{}");
    const packages = ["node-llama-cpp", `@node-llama-cpp/linux-${process.arch}`].map(
      (name) => `${name}@${VERSION}`,
    );
    const flags = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
    await promisify(execFile)("npm", ["install", ...flags, ...packages], { cwd: folder });
  }
  if (instructions === "avx2") {
    const own = join(folder, "node_modules/@node-llama-cpp");
    const files = await readdir(own, { recursive: true });
    for (const file of files.filter((file) => WIDE.test(basename(file)))) await rm(join(own, file));
  }
  const { getLlama } = (await import(pathToFileURL(path).href)) as {
    getLlama(options: object): Promise<Llama>;
  };
  return getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    maxThreads: threadCount,
    logLevel: "error",
  });
}

/** @param isExact keys and values stay floats of 32 bits, as ours do; as usual they are halves, which is faster */
export async function openSequence(
  llama: Llama,
  path: string,
  positions: number,
  threadCount: number,
  isExact = false,
) {
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const threads = { ideal: threadCount, min: threadCount };
  const context = await model.createContext({
    contextSize: positions,
    batchSize: positions,
    threads,
    ...(isExact ? { ...EXACT_CACHE, flashAttention: false } : {}),
  });
  const sequence = context.getSequence();
  return {
    /** Tokens a second of a prompt, and of what follows it. */
    async measure(prompt: readonly number[], tokenCount: number) {
      await sequence.clearHistory();
      const startedAtMs = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      const readAtMs = performance.now();
      let made = 0;
      for await (const _ of sequence.evaluate([1], { temperature: 0, yieldEogToken: true }))
        if (++made === tokenCount) break;
      const ms = { prompt: readAtMs - startedAtMs, decode: performance.now() - readAtMs };
      return { prompt: (1000 * prompt.length) / ms.prompt, decode: (1000 * made) / ms.decode };
    },
    /** Logarithms of the probabilities of what follows: logits apart from a constant that all share. */
    async logits(prompt: readonly number[], vocabularySize: number): Promise<Float64Array> {
      await sequence.clearHistory();
      const lastInput = [
        prompt.at(-1)!,
        { generateNext: { probabilities: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } } },
      ];
      const results = await sequence.controlledEvaluate([...prompt.slice(0, -1), lastInput]);
      const { probabilities } = results.at(-1)!.next!;
      return Float64Array.from({ length: vocabularySize }, (_, token) =>
        Math.log(probabilities!.get(token)!),
      );
    },
    async close() {
      await context.dispose();
      await model.dispose();
    },
  };
}
