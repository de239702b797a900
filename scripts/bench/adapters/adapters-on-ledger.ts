/** Adapters that are registered on a real rollup, served by one process, asked and paid through OpenAI's client. */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";
import { fetchAnswering } from "@openledger/attribution/model/model-download";
import { openCheckable } from "@openledger/attribution/model/model-family";
import { askMessage } from "@openledger/circuits/ledger/model-query";
import { payForAnswer } from "@openledger/client/actions/answers/ask-model";
import { answerSchema } from "@openledger/client/actions/answers/model-answers";
import { keyFromSecret } from "@openledger/client/l2-key";
import { createLedgerClient, type LedgerClient } from "@openledger/client/ledger-client";
import { getStatus } from "@openledger/client/sequencer/ledger-reads";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { waitFor } from "@openledger/client/sequencer/wait-for";
import { buildModelCircuits } from "@openledger/e2e/world/model-circuits";
import { createWorld, type World } from "@openledger/e2e/world/world";
import { hex32 } from "@openledger/foundation/hex";
import { folderSource } from "@openledger/models/files/folder-source";
import type { KernelChoice } from "@openledger/models/kernels/create-kernels";
import { readFrom } from "@openledger/models/registered/base-files";
import { textFamily } from "@openledger/models/registered/text-family";
import { type BackendName, createProver } from "@openledger/prover/backends";
import OpenAI from "openai";
import { parseEther, toHex } from "viem";
import { MODEL_SIZE, type RegisteredModels, registerModels } from "./registered-models.ts";
import { type ServingChild, startServingChild } from "./serving-child.ts";

const OWNER_SECRET = toHex(0xada97e5n, { size: 32 });
const OWNER = toHex(0xada97e5n, { size: 20 });
/** Unproven batches do not hold anything up. */
const MAX_UNPOSTED_BATCHES = 100_000;
const PROVEN_TIMEOUT_MS = 7_200_000;

interface OnLedgerOptions {
  readonly models: number;
  /** Of them, so many are asked and paid, drawn at random. */
  readonly sample: number;
  readonly kernels: KernelChoice;
  readonly backend: BackendName;
  /** Whether the batches are proven and posted, too. That takes a second or more for each. */
  readonly isProven: boolean;
}

const log = (line: string) => console.log(line);

export async function benchAdaptersOnLedger(options: OnLedgerOptions) {
  const { backend, isProven, kernels, models } = options;
  const folder = await mkdtemp(join(tmpdir(), "openledger-bench-on-ledger-"));
  log("starting a rollup: L1, sequencer, prover, bridge");
  const others = await buildModelCircuits(MODEL_SIZE);
  const world = await createWorld({
    backend,
    slots: 8,
    others,
    maxUnpostedBatches: MAX_UNPOSTED_BATCHES,
    name: "adapters",
  });
  const prover = await createProver(backend);
  let child: ServingChild | null = null;
  try {
    const owner = await clientOf(world, OWNER_SECRET);
    const leafId = await world.openAccount({ keyX: owner.l2Key!.keyX, l1Owner: OWNER });
    if (models > 1_000) await world.l1.depositTo(leafId, parseEther(String(models)), OWNER);
    const before = await getStatus(owner);
    const startedAtMs = performance.now();
    const registered = await registerModels(
      world,
      { ...owner, leafId },
      {
        ...{ count: models, folder, kernels, owner: OWNER, prover, table: others[1]!, tell: log },
        // A version counts once L1 has it. From then on proofs may wait, with the batches that wait for them.
        afterPublishing: async () => {
          await world.allPosted();
          if (!isProven) await world.prover.kill();
        },
        beforeTheDay: () => (isProven ? world.allPosted(PROVEN_TIMEOUT_MS) : Promise.resolve()),
      },
    );
    const registeringSeconds = seconds(startedAtMs);
    const servedAtMs = performance.now();
    child = await serve(world, folder, registered, kernels);
    const startSeconds = seconds(servedAtMs);
    const atStart = await child.residentMegabytes();
    log(
      `${child.registeredCount} registered models are served after ${startSeconds} s, in ${Math.round(atStart)} MB`,
    );
    const asked = await askAndPay(world, child, registered, options);
    const atEnd = await child.residentMegabytes();
    if (isProven) await world.allPosted(PROVEN_TIMEOUT_MS);
    const after = await world.status();
    const { closed, posted, proven } = after.batches;
    return {
      registered: child.registeredCount,
      batches: { closed: closed - before.batches.closed, proven, posted },
      /** The sequencer takes no activation without its proof. */
      provenActivations: await countReady(owner, registered.modelIds),
      areBatchesProven: proven === closed,
      registeringSeconds,
      startSeconds,
      ...asked,
      serverMegabytes: { atStart: Math.round(atStart), atEnd: Math.round(atEnd) },
      loadOfMachine: Math.round(loadavg()[1]!),
    };
  } finally {
    await child?.stop();
    await prover.close();
    await world.stop();
    await rm(folder, { recursive: true });
  }
}

function serve(
  world: World,
  folder: string,
  { base, published }: RegisteredModels,
  kernels: KernelChoice,
): Promise<ServingChild> {
  const { rollupAddress } = world.l1.deployment;
  const global = ["--rpc", world.l1.url, "--rollup", rollupAddress, "--sequencer", world.sequencerUrl];
  const options = ["--base", base, "--adapters", join(folder, "adapters"), "--registered", published];
  return startServingChild(
    options,
    {
      SERVING_KERNELS: kernels,
      SERVING_DATA_PATH: join(folder, "data"),
    },
    global,
  );
}

/** Four customers, each with their part of the sample. Whatever does not hold ends the measurement. */
async function askAndPay(
  world: World,
  child: ServingChild,
  { base, modelIds }: RegisteredModels,
  { kernels, sample }: OnLedgerOptions,
) {
  const random = new SeededRandom("customers of registered adapters");
  const left = [...modelIds];
  const drawn = Array.from({ length: Math.min(sample, left.length) }, () => {
    return left.splice(Math.floor(random.nextFraction() * left.length), 1)[0]!;
  });
  const openai = new OpenAI({ baseURL: `${child.url}/v1`, apiKey: "customer", maxRetries: 0 });
  const families = [textFamily({ bases: [readFrom(folderSource(base))], kernels })];
  const receipts = new Set<bigint>();
  const firstPartMs: number[] = [];
  const startedAtMs = performance.now();
  const customer = async (place: number) => {
    const { leafId, secret } = world.users[place]!;
    const client = { ...(await clientOf(world, hex32(secret))), leafId };
    for (let i = place; i < drawn.length; i += world.users.length) {
      const modelId = drawn[i]!;
      const prompt = `Customer ${place} asks model ${modelId}: `;
      const message = askMessage({ domain: client.domain, modelId, payerId: leafId, prompt });
      const { r8x, r8y, s } = client.l2Key!.sign(message);
      const signature = { r8x: hex32(r8x), r8y: hex32(r8y), s: hex32(s) };
      const askedAtMs = performance.now();
      const stream = await openai.completions.create({
        ...{ model: `model-${modelId}`, prompt, stream: true },
        ...({ openledger: { payerId: leafId, signature } } as object),
      });
      let last: object = {};
      let text = "";
      for await (const part of stream) {
        if (text === "") firstPartMs.push(performance.now() - askedAtMs);
        text += part.choices[0]?.text ?? "";
        last = part;
      }
      const answer = answerSchema.parse((last as { openledger: unknown }).openledger);
      if ((JSON.parse(answer.answer) as { text: string }).text !== text)
        throw new Error(`model ${modelId}: the receipt is of another text`);
      const serverUrl = `${child.url}/ledger/${modelId}`;
      const model = await openCheckable(await fetchAnswering(serverUrl, families));
      // The customer makes answer and query again; what differs is not paid.
      const parameters = { modelId, model, prompt, answer, isAnsweredAgain: true };
      const { hash } = await world.patiently(() => payForAnswer(client, parameters));
      await waitFor(client, { hash }, "acknowledged");
      const said = await fetch(`${serverUrl}/v1/openings?epoch=1`);
      const { openings } = (await said.json()) as { openings: { receipt: string }[] };
      if (!openings.some(({ receipt }) => BigInt(receipt) === answer.receipt))
        throw new Error(`model ${modelId}: its server does not open the paid receipt`);
      receipts.add(answer.receipt);
      if (receipts.size % 50 === 0) log(`${receipts.size} answers checked, paid and opened`);
    }
  };
  await Promise.all(world.users.map((_, place) => customer(place)));
  if (receipts.size !== drawn.length) throw new Error(`${receipts.size} receipts of ${drawn.length} answers`);
  const sorted = firstPartMs.sort((a, b) => a - b);
  return {
    askedAndPaid: receipts.size,
    askingSeconds: seconds(startedAtMs),
    firstTokenMs: { p50: Math.round(sorted[sorted.length >> 1]!), most: Math.round(sorted.at(-1)!) },
  };
}

async function countReady(client: LedgerClient, modelIds: readonly number[]): Promise<number> {
  let count = 0;
  for (const modelId of modelIds) if ((await getModel(client, modelId)).counters.isReady) count += 1;
  return count;
}

async function clientOf(world: World, secret: `0x${string}`): Promise<LedgerClient> {
  return createLedgerClient({
    sequencerUrl: world.sequencerUrl,
    rpcUrl: world.l1.url,
    rollupAddress: world.l1.deployment.rollupAddress,
    l2Key: await keyFromSecret(secret),
  });
}

const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 1_000);
