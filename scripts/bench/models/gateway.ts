/**
 * Measures the first token through the gateway, for `npm run bench -- models`: a paid chat, streamed, against the same server's answer
 * without payment, in turns. Ledger, server and gateway are real, and the model has the layers of a published shape; its tokens are
 * bytes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { listServedModels } from "@openledger/client/actions/answers/served-models";
import { storeRollupOf } from "@openledger/client/store-rollup";
import { createLogger } from "@openledger/foundation/logger";
import { openGateway } from "@openledger/gateway/open-gateway";
import { folderSource } from "@openledger/models/engine/files/folder-source";
import { openModel } from "@openledger/models/engine/files/load-model";
import { productThreads } from "@openledger/models/engine/kernels/native-kernels";
import { passageRows, passagesOf } from "@openledger/models/testing/citing-world";
import { makeAdapter, writeMadeAdapter } from "@openledger/models/testing/made-adapters";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { serveTested } from "@openledger/models/testing/serving-world";
import { type ModelMaker, PRICE_WEI, startSettlingWorld } from "@openledger/models/testing/settling-fixture";
import { textRecipeFor } from "@openledger/models/testing/text-rows";
import { describeBase, readFrom } from "@openledger/models/tuning/recipe/base-files";
import { textFamily } from "@openledger/models/tuning/recipe/text-family";
import { textTraining } from "@openledger/models/tuning/recipe/text-training";
import OpenAI from "openai";

/** Circuit that settles the model: an epoch of 16 payments, which bounds the rounds. */
const SETTLEMENT = { rows: 8, features: 36, payees: 4, payments: 16, draws: 2 } as const;
const MAX_ROUNDS = SETTLEMENT.payments - 1;
const ADAPTER = { rank: 2, alpha: 4, targets: ["q_proj", "v_proj"] } as const;
const ANSWER_TOKENS = 8;
const FREE = "without-payment";

interface BenchGatewayOptions {
  /** Shape of the base, but for its tokens. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly rounds: number;
  readonly promptTokens: number;
  readonly log: (line: string) => void;
}

/** First token through the gateway and without payment, in ms, and how much later it comes by it. */
export async function benchGateway({ config, log, promptTokens, rounds }: BenchGatewayOptions) {
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-gateway-"));
  const ends: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const base = join(folder, "base");
    log("gateway: making weights, a rollup and a registered model");
    const bytes = { ...config, vocab_size: 256, max_position_embeddings: 1_024 };
    await writeMadeModel(base, makeModel(bytes as never, "gateway"));
    const world = await startSettlingWorld(folder, undefined, SETTLEMENT);
    ends.push(() => world.stop());
    const { bob, sequencerUrl } = world;
    const alices = passageRows(passagesOf(8, 6)).map(({ content }) => ({ content }));
    const { modelFolder, modelId } = await world.makeModel(makerOf(base, promptTokens), { alices });
    await writeFreeAdapter(folder, base);
    const served = await serveTested(
      {
        SERVING_BASE_PATH: base,
        SERVING_ADAPTERS_PATH: join(folder, "adapters"),
        SERVING_DATA_PATH: join(folder, "serving"),
        SERVING_PORT: "0",
        SERVING_LOG_LEVEL: "error",
      },
      {
        published: {
          locations: [{ modelId, folder: modelFolder }],
          sequencerUrl,
          domain: bob.domain,
          rollup: storeRollupOf(bob),
        },
      },
    );
    ends.push(() => served.close());
    const gateway = await openGateway({
      reader: { ...bob, l2Key: null, leafId: null },
      folder: join(folder, "gateway"),
      funding: async () => ({ client: bob, budgetWei: BigInt(rounds + 2) * PRICE_WEI }),
      maxPriceWei: 2n * PRICE_WEI,
      locations: () => listServedModels(bob, served.url),
      families: async () => [textFamily(settingOf(base)) as never],
      port: 0,
      logger: createLogger("gateway", "error"),
    });
    ends.push(() => gateway.close());
    const contenders = {
      free: firstTokenOf(`${served.url}/v1`, "any", FREE),
      gateway: firstTokenOf(gateway.baseUrl, gateway.token.reveal(), `model-${modelId}`),
    };
    const measured = { free: [] as number[], gateway: [] as number[] };
    // The first round opens models and adapters.
    for (let round = 0; round <= Math.min(rounds, MAX_ROUNDS - 1); round++)
      for (const name of round % 2 === 0 ? (["free", "gateway"] as const) : (["gateway", "free"] as const)) {
        const ms = await contenders[name](promptOf(promptTokens, `${round} ${name}`));
        if (round > 0) measured[name].push(ms);
        log(
          `gateway: first token ${name === "free" ? "without payment" : "paid, by the gateway"}: ${ms.toFixed(0)} ms`,
        );
      }
    const firstTokenMs = { free: middleOf(measured.free), gateway: middleOf(measured.gateway) };
    return { firstTokenMs, ratio: firstTokenMs.gateway / firstTokenMs.free, rounds: measured.free.length };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const settingOf = (base: string) => ({
  bases: [readFrom(folderSource(base))],
  kernels: "native" as const,
  threadCount: productThreads(1),
});

/** Trains in one step: what is measured does not depend on how well the model writes. */
const makerOf =
  (base: string, promptTokens: number): ModelMaker =>
  async (rows: readonly OwnedRow[], ledger) => {
    const setting = settingOf(base);
    const plain = textRecipeFor(rows, await describeBase(folderSource(base), "made"));
    const recipe = {
      ...plain,
      ...ledger,
      adapter: { ...ADAPTER, targets: [...ADAPTER.targets] },
      tuning: { ...plain.tuning, steps: 1, rowsPerStep: 1, warmupSteps: 0 },
      method: { ...plain.method, featureCount: ledger.columnCount - 4 },
      answers: { ...plain.answers, promptTokens: promptTokens + 8, answerTokens: ANSWER_TOKENS },
    };
    return (await textTraining(textFamily(setting), setting).train(rows, recipe as never, {})) as never;
  };

/** An adapter of the same form that nobody has registered: it is free. */
async function writeFreeAdapter(folder: string, base: string): Promise<void> {
  const opened = await openModel(folderSource(base));
  await opened.close();
  const settings = { ...ADAPTER, targets: [...ADAPTER.targets] } as never;
  const numbers = makeAdapter(opened.shape, settings, FREE);
  await writeMadeAdapter(join(folder, "adapters", FREE), opened.shape, settings, numbers);
}

/** A prompt that no other one begins like. */
const promptOf = (length: number, name: string) =>
  `${name} ${"the whale and the sea; ".repeat(length)}`.slice(0, length);

/** Milliseconds until the first word of a streamed chat; the rest of the answer is read, too. */
function firstTokenOf(baseURL: string, apiKey: string, model: string) {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
  return async (content: string): Promise<number> => {
    const startedAtMs = performance.now();
    let firstMs = Number.NaN;
    const messages = [{ role: "user" as const, content }];
    for await (const part of await client.chat.completions.create({
      model,
      messages,
      stream: true,
      max_tokens: ANSWER_TOKENS,
      temperature: 0,
    }))
      if (Number.isNaN(firstMs) && (part.choices[0]?.delta.content ?? "") !== "")
        firstMs = performance.now() - startedAtMs;
    return firstMs;
  };
}

const middleOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
