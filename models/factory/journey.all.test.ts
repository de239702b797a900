import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listAccess, sayRecords } from "@openledger/client/datanets/signed-records";
import { getModel } from "@openledger/client/sequencer/model-reads";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { OPEN } from "@openledger/contracts/testing/rollup-fixture";
import type { OwnProcess } from "@openledger/foundation/testing/own-process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterLayout } from "../engine/architecture/adapter-layout.ts";
import { readAdapter, readAdapterSettings } from "../engine/files/adapter-files.ts";
import { folderSource } from "../engine/files/folder-source.ts";
import { loadModel, openModel } from "../engine/files/load-model.ts";
import { memorySource } from "../engine/files/memory-source.ts";
import { writeFormOf } from "../testing/factory-world.ts";
import { type JourneyWorld, startChildFactory, startJourneyWorld } from "../testing/journey-world.ts";
import { makeModel, writeMadeModel } from "../testing/made-models.ts";
import { byteConfig, sampleTexts } from "../testing/text-rows.ts";
import type { ExportForm, FactoryJob, JobEvent } from "./factory-api.ts";
import { FactoryClient } from "./factory-client.ts";
import { registerJob } from "./register-job.ts";

let folder: string;
let basePath: string;
let world: JourneyWorld;
let process: OwnProcess;
let factory: FactoryClient;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "factory-journey-"));
  basePath = join(folder, "base");
  await writeMadeModel(basePath, makeModel(byteConfig, "text"));
  world = await startJourneyWorld(folder, { rows: sampleTexts(8), access: "permissioned" });
  environment = world.environment({
    FACTORY_BASES: basePath,
    FACTORY_KERNELS: "wasm",
    FACTORY_THREAD_COUNT: "1",
  });
  process = await startChildFactory(environment);
  factory = new FactoryClient(world.bob, process.url);
});
afterAll(async () => {
  await process?.end("SIGKILL");
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function exported(jobId: string, form: ExportForm): Promise<Map<string, Uint8Array>> {
  const { files } = await factory.export(jobId, form);
  const bytes = new Map<string, Uint8Array>();
  for (const file of files) bytes.set(file.name, await factory.file(jobId, form, file));
  return bytes;
}

describe("from a permissioned Datanet to a registered model", () => {
  let baseId: string;
  let datasetId: string;
  let job: FactoryJob;
  let events: JobEvent[];

  it("fetches rows once their owner has granted them, by the builder's key", async () => {
    const { alice, bob, datanetId, hostUrl } = world;
    const request = { kind: "datanet" as const, hostUrl, datanetId, version: null };
    await expect(factory.addDataset(request)).rejects.toMatchObject({ code: "DNT_ACCESS_NOT_GRANTED" });
    const ask = { kind: "accessRequest" as const, purpose: "a model of the union" };
    await sayRecords(bob, { hostUrl, datanetId, from: 3, records: [ask] });
    const [waiting] = (await listAccess(alice, { hostUrl, datanetId })).requests;
    const grant = {
      kind: "accessAnswer" as const,
      request: waiting!.id,
      answer: "grant" as const,
      untilMs: Date.now() + 3_600_000,
      note: "",
    };
    await sayRecords(alice, { hostUrl, datanetId, from: datanetId, records: [grant] });
    const dataset = await factory.addDataset(request);
    expect(dataset).toMatchObject({
      state: "ready",
      rowCount: 8,
      datanet: { id: datanetId, isPublic: false },
    });
    expect((await factory.addDataset(request)).id).toBe(dataset.id);
    datasetId = dataset.id;
    // Another account has no such data set, whatever it knows of it.
    const other = new FactoryClient(alice, process.url, 2);
    await expect(other.dataset(datasetId)).rejects.toMatchObject({ code: "MOD_FACTORY_UNKNOWN" });
  });

  it("goes on after kill -9 of the factory, to the same bytes and with every event once", async () => {
    const base = (await factory.bases()).find(({ source }) => source === "folder")!;
    baseId = base.id;
    const view = await factory.form(baseId, datasetId);
    const { isRegistrable } = view;
    expect(isRegistrable).toBe(true);
    const request = {
      baseId,
      datasetId,
      form: {
        ...writeFormOf(view),
        rounds: 240,
        rowsPerStep: 4,
        rowTokens: 48,
        heldOutRows: 2,
        answerTokens: 12,
        rank: 2,
      },
    };
    const uninterrupted = await factory.begin({ ...request, form: { ...request.form, name: "whole" } });
    for await (const event of factory.follow(uninterrupted.id))
      if (event.kind === "state" && /done|failed/.test(event.state)) break;
    job = await factory.begin(request);
    events = [];
    let isKilled = false;
    for await (const event of factory.follow(job.id)) {
      events.push(event);
      if (event.kind === "step" && event.step === 70 && !isKilled) {
        isKilled = true;
        await process.end("SIGKILL");
        // Its address stays, as an operator's does.
        process = await startChildFactory(environment);
      }
      if (event.kind === "state" && /done|failed/.test(event.state)) break;
    }
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
    const steps = events.filter((event) => event.kind === "step").map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 360 }, (_, i) => i + 1));
    job = await factory.job(job.id);
    const whole = await factory.job(uninterrupted.id);
    expect(job).toMatchObject({ state: "done", failure: null });
    expect(job.result).toMatchObject({
      adapterSha256: whole.result!.adapterSha256,
      staticsHash: whole.result!.staticsHash,
    });
    const { heldOut, trained } = job.result!.losses!;
    expect([trained.rowCount, heldOut!.rowCount]).toEqual([6, 2]);
    expect(trained.after.natsPerToken).toBeLessThan(trained.before.natsPerToken);
  });

  it("registers in one step, on keys that the factory never sees", async () => {
    const l1Owner = anvilAccount(5).address;
    const modelId = await registerJob(world.bob, factory, {
      jobId: job.id,
      priceWei: OPEN / 2n,
      amountWei: OPEN,
      l1Owner,
      from: 3,
    });
    expect((await factory.registration(job.id)).state).toBe("registered");
    expect((await getModel(world.bob, modelId)).counters).toMatchObject({ isReady: true, isApproved: false });
    // A second call finds what is there.
    expect(
      await registerJob(world.bob, factory, { jobId: job.id, priceWei: 1n, amountWei: 0n, l1Owner, from: 3 }),
    ).toBe(modelId);
    const lineage = await factory.lineage(job.id);
    expect(lineage).toMatchObject({
      datanet: { id: world.datanetId, version: 1 },
      people: [{ contributorId: 2, validatorId: 3, rowCount: 8, heldOutCount: 2 }],
      model: { id: modelId, isReady: true },
    });
  });

  it("is served by every server of the factory, and by one that is left", async () => {
    const second = await startChildFactory({
      ...environment,
      FACTORY_DATA_PATH: join(folder, "second"),
      FACTORY_PORT: "0",
      FACTORY_MAX_RUNNING: "0",
    });
    try {
      const { modelId } = await factory.job(job.id);
      const statusAt = async (url: string) => (await fetch(`${url}/ledger/${modelId}/v1/model`)).status;
      expect(await statusAt(second.url)).toBe(404);
      await factory.serve(job.id, true);
      expect(await statusAt(process.url)).toBe(200);
      await expect.poll(() => statusAt(second.url), { timeout: 20_000 }).toBe(200);
      await process.end("SIGKILL");
      expect(await statusAt(second.url)).toBe(200);
      const other = new FactoryClient(world.bob, second.url);
      expect(await other.job(job.id)).toMatchObject({ isServed: true, state: "done" });
      await expect(other.deleteJob(job.id)).rejects.toMatchObject({ code: "MOD_FACTORY_JOB_STATE" });
      process = await startChildFactory(environment);
      await expect.poll(() => statusAt(process.url), { timeout: 20_000 }).toBe(200);
      await other.serve(job.id, false);
      expect(await statusAt(second.url)).toBe(404);
      await expect.poll(() => statusAt(process.url), { timeout: 20_000 }).toBe(404);
    } finally {
      await second.end("SIGKILL");
    }
  });

  it("exports an adapter and a merged model that are read back bit for bit", async () => {
    const { shape, layout, load, close } = await openModel(folderSource(basePath));
    const adapterFiles = memorySource("adapter", await exported(job.id, "adapter"));
    const settings = await readAdapterSettings(adapterFiles);
    expect(settings).toMatchObject({ rank: 2, targets: ["q_proj", "v_proj"] });
    const numbers = adapterLayout(shape, settings);
    const base = new Float32Array(layout.floatCount);
    await load(base, 0);
    await close();
    const adapter = new Float32Array(numbers.floatCount);
    await readAdapter(adapterFiles, shape, numbers, adapter, 0);
    const mergedFiles = memorySource("merged", await exported(job.id, "merged"));
    const opened = await openModel(mergedFiles);
    const merged = await loadModel(opened, { kernels: "wasm", maxRows: 4, isTraining: false });
    const { kernels, parameters } = merged.model;
    for (const { a, b, firstOutput, inputs, layer, linear, outputs } of numbers.parts) {
      const { outputs: width, weight } = layout.layers[layer]!.linears[linear]!;
      for (let i = 0; i < inputs; i++)
        for (let j = 0; j < outputs; j++) {
          const products = [0, 1].map((k) =>
            Math.fround(adapter[a + 2 * i + k]! * adapter[b + k * outputs + j]!),
          );
          const change = Math.fround(numbers.factor * (products[0]! + products[1]!));
          const position = weight + i * width + firstOutput + j;
          expect(kernels.arena[parameters + position]).toBe(Math.fround(base[position]! + change));
        }
    }
    const published = await exported(job.id, "model");
    // Rows of a permissioned Datanet are not published with the model.
    expect([...published.keys()].sort()).toEqual(
      [
        "card.json",
        "columns.bin",
        "payees.json",
        "features.bin",
        "manifest.json",
        "parameters.bin",
        "query-map.bin",
        "recipe.json",
      ].sort(),
    );
    expect(published.get("parameters.bin")).toEqual(
      (await exported(job.id, "adapter")).get("adapter_model.safetensors"),
    );
  });
});
