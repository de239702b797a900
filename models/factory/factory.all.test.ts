import { mkdirSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { askServer } from "@openledger/client/datanets/host-request";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import { administer } from "@openledger/foundation/testing/test-database";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { folderSource } from "../engine/files/folder-source.ts";
import {
  createFactoryWorld,
  type FactoryWorld,
  type TestFactory,
  writeFormOf,
} from "../testing/factory-world.ts";
import { startHub } from "../testing/hub-server.ts";
import { sampleTexts } from "../testing/text-rows.ts";
import { addBase } from "../tuning/recipe/add-base.ts";
import { readFrom } from "../tuning/recipe/base-files.ts";
import { textFamily } from "../tuning/recipe/text-family.ts";
import { parseTextRecipe } from "../tuning/recipe/text-recipe.ts";
import { textTraining } from "../tuning/recipe/text-training.ts";
import type { DatasetRequest, FactoryJob, JobEvent, JobRequest, WriteForm } from "./factory-api.ts";
import type { FactoryClient } from "./factory-client.ts";
import { readFactoryConfig } from "./factory-config.ts";
import { sha256Of } from "./tasks/dataset-files.ts";

let world: FactoryWorld;
let factory: TestFactory;
let alice: FactoryClient;
let bob: FactoryClient;

const texts = sampleTexts(24);
/** Request for the rows of `texts`. */
let published: DatasetRequest;
const code = (name: string) => expect.objectContaining({ code: name });

beforeAll(async () => {
  world = await createFactoryWorld({ userCount: 3, card: sampleCard(), circuits: [] });
  published = await world.publish(texts);
  factory = await world.factory("factory", {
    FACTORY_BASE_PLACES: `${join(world.folder, "bases")},http://127.0.0.1:9/models`,
    FACTORY_MAX_STEPS: "10000",
  });
  alice = await factory.as(0);
  bob = await factory.as(1);
});
afterAll(() => world?.close());

async function requestOf(
  client: FactoryClient,
  changes: Partial<WriteForm> = {},
): Promise<JobRequest & { form: WriteForm }> {
  const { id: datasetId } = await client.addDataset(published);
  const { id: baseId } = (await client.bases()).find(({ source }) => source === "folder")!;
  const form = writeFormOf(await client.form(baseId, datasetId));
  const small = { rank: 2, rowTokens: 48, heldOutRows: 4, answerTokens: 12, rounds: 1 };
  return { baseId, datasetId, form: { ...form, ...small, ...changes } };
}

async function eventsUntil(
  client: FactoryClient,
  id: string,
  isLast: (event: JobEvent) => boolean,
  after = 0,
) {
  const events: JobEvent[] = [];
  for await (const event of client.follow(id, { after })) {
    events.push(event);
    if (isLast(event)) return events;
  }
  return events;
}
const isEnd = (event: JobEvent) => event.kind === "state" && /^(done|failed)$/.test(event.state);
const isState = (state: FactoryJob["state"]) => (event: JobEvent) =>
  event.kind === "state" && event.state === state;
const isStep = (step: number) => (event: JobEvent) => event.kind === "step" && event.step >= step;

describe("a factory", () => {
  it("offers questions with answers a model that cites them, and other texts one that writes", async () => {
    const { id: baseId } = (await alice.bases()).find(({ source }) => source === "folder")!;
    const questions = Array.from({ length: 8 }, (_, i) => ({
      prompt: `What is ${i}?`,
      answer: `It is ${i}.`,
    }));
    const percentOf = async (rows: readonly object[]) => {
      const { id } = await alice.addDataset(await world.publish(rows as never));
      return writeFormOf(await alice.form(baseId, id)).citationPercent;
    };
    expect(await percentOf(questions)).toBe(50);
    expect(await percentOf([...questions, { text: "A text without an answer." }])).toBe(0);
  });

  it("measures before it trains, tells of each step, and compares at the end", async () => {
    const request = await requestOf(alice);
    const estimate = await alice.estimate(request);
    expect(estimate).toMatchObject({
      steps: 20,
      trainedRowCount: 20,
      measuredSteps: 4,
      registerFeeWei: null,
    });
    expect(estimate.seconds.total).toBeGreaterThan(0);
    const { id } = await alice.begin(request);
    const events = await eventsUntil(alice, id, isEnd);
    expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
    const job = await alice.job(id);
    expect(job).toMatchObject({ state: "done", step: 20, heldOutCount: 4, isRegistrable: false });
    const heldOut = events.filter((event) => event.kind === "heldOut");
    expect(heldOut[0]).toMatchObject({ step: 0, rowCount: 4 });
    expect(heldOut.at(-1)!.loss).toBeLessThan(heldOut[0]!.loss);
    expect(events.some((event) => event.kind === "hardest" && event.rows.length === 8)).toBe(true);
    // Who comes later gets the same, from where they were.
    expect(await eventsUntil(alice, id, isEnd, 17)).toEqual(events.slice(17));
    const { answers } = await alice.compare(id, { prompts: null, answerTokens: 8 });
    expect(answers).toHaveLength(4);
    for (const { baseLoss, tunedLoss } of answers) expect(tunedLoss!).toBeLessThan(baseLoss!);
    // More at once wait for each other, up to four; the last ones are refused if the first is not done already.
    const ask = () => alice.compare(id, { prompts: ["a"], answerTokens: 2 });
    const settled = await Promise.allSettled([ask(), ask(), ask(), ask(), ask(), ask()]);
    const refused = settled.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeLessThanOrEqual(2);
    for (const one of refused) expect(one).toMatchObject({ reason: code("SRV_QUOTA_USED") });
    const { files } = await alice.export(id, "adapter");
    for (const file of files) {
      const bytes = await alice.file(id, "adapter", file);
      expect([bytes.length, sha256Of(bytes)]).toEqual([file.sizeBytes, file.sha256]);
    }
    expect(files).toHaveLength(2);
    await expect(alice.export(id, "model")).rejects.toThrow(code("MOD_FACTORY_NOT_REGISTRABLE"));
    const askMetrics = async () => (await fetch(`${factory.url}/metrics`)).text();
    await expect.poll(askMetrics).toContain('factory_jobs{state="done"} 1');
    await expect.poll(askMetrics).toContain('factory_computations{state="running"} 0');
    const metrics = await askMetrics();
    expect(metrics).toContain("factory_worker_places 1");
    expect(metrics).toContain('factory_errors_total{code="MOD_FACTORY_NOT_REGISTRABLE"} 1');
    await expect(alice.proveActivation(id, 2)).rejects.toThrow(code("MOD_FACTORY_NOT_REGISTRABLE"));
    expect(await attackServer(factory.url, { post: "/v1/jobs", metrics: "/metrics" })).toEqual([]);
  });

  it("answers by its rows at the factory as it will where it is served, and none that no row answers", async () => {
    const questions = [
      ["What is gravity?", "The force by which bodies with mass attract each other."],
      ["Who painted the Mona Lisa?", "Leonardo da Vinci."],
      ["Why is the sea salty?", "Rivers wash salts out of rocks."],
      ["What do pandas eat?", "Almost nothing but bamboo."],
    ].map(([prompt, answer]) => ({ prompt: prompt!, answer: answer! }));
    const { id: datasetId } = await alice.addDataset(await world.publish(questions));
    const { id: baseId } = (await alice.bases()).find(({ source }) => source === "folder")!;
    const form = writeFormOf(await alice.form(baseId, datasetId));
    const { id } = await alice.begin({ baseId, datasetId, form: { ...form, rank: 2, rounds: 1 } });
    await eventsUntil(alice, id, isEnd);
    const prompts = ["How did salt get into the seas?", "Who painted Guernica?"];
    const { answers } = await alice.compare(id, { prompts, answerTokens: 4 });
    expect(answers).toMatchObject([
      { tuned: questions[2]!.answer, citedRows: [2] },
      { tuned: null, citedRows: [] },
    ]);
    for (const { base } of answers) expect(base).not.toBeNull();
  });

  it("pauses, survives kill -9 of the process that trains, and stops early to what its recipe says", async () => {
    const request = await requestOf(alice, { rounds: 400, rowsPerStep: 4, citationPercent: 40 });
    const { id } = await alice.begin(request);
    await eventsUntil(alice, id, isStep(25));
    await alice.wish(id, "pause");
    const [paused] = (await eventsUntil(alice, id, isState("paused"))).slice(-1);
    await expect(alice.wish(id, "pause")).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
    const { step } = await alice.job(id);
    await alice.wish(id, "resume");
    await eventsUntil(alice, id, isStep(step + 30), paused!.number);
    process.kill(factory.trainerIds.at(-1)!, "SIGKILL");
    await eventsUntil(alice, id, isStep(step + 90), paused!.number);
    await alice.wish(id, "stop");
    const events = await eventsUntil(alice, id, isEnd);
    const steps = events.filter((event) => event.kind === "step").map((event) => event.step);
    const { result, state } = await alice.job(id);
    expect(state).toBe("done");
    const { heldOut, keptStep } = result!.losses!;
    expect(steps).toEqual(steps.map((_, i) => i + 1));
    const looks = events.filter((event) => event.kind === "heldOut");
    const best = Math.min(heldOut!.after.natsPerToken, ...looks.slice(1).map(({ loss }) => loss));
    expect(heldOut!.after.natsPerToken).toBeCloseTo(best, 5);
    // Anybody makes the same of the recipe, at one go.
    await initPoseidon();
    const recipe = parseTextRecipe((await alice.lineage(id)).recipe);
    expect(recipe.tuning.lastStep).toBe(keptStep);
    expect(recipe.retrieval!.citationPermille).toBe(400);
    const setting = {
      bases: [readFrom(folderSource(world.basePath))],
      kernels: "wasm" as const,
      threadCount: 1,
    };
    // As the world publishes texts: the first user's leaf contributes, the second one's validates.
    const owned = texts.map((row) => ({ content: encodeTextRow(row), contributorId: 2, validatorId: 3 }));
    const again = await textTraining(textFamily(setting), setting).train(owned, recipe, {});
    expect(sha256Of(again.adapter)).toBe(result!.adapterSha256);
  });

  it("lets accounts take turns, and shows each its own alone", async () => {
    const first = await alice.begin(await requestOf(alice, { rounds: 60 }));
    await eventsUntil(alice, first.id, isState("running"));
    const second = await alice.begin(await requestOf(alice));
    const other = await bob.begin(await requestOf(bob));
    expect(other.queuedBefore).toBe(1);
    await expect(bob.job(first.id)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    await expect(bob.deleteJob(second.id)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    await expect(alice.deleteJob(first.id)).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
    const [ofBob, ofAlice] = await Promise.all([
      eventsUntil(bob, other.id, isState("running")),
      eventsUntil(alice, second.id, isState("running")),
    ]);
    expect(ofBob.at(-1)!.atMs).toBeLessThan(ofAlice.at(-1)!.atMs);
    await eventsUntil(alice, second.id, isEnd);
    expect((await bob.jobs()).map(({ id }) => id)).toEqual([other.id]);
    await alice.deleteJob(second.id);
    await expect(alice.job(second.id)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    await expect(bob.deleteDataset(first.datasetId)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
    await expect(alice.deleteDataset(first.datasetId)).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
  });
});

describe("what a factory refuses", () => {
  it("is a folder in which an earlier version stored what is in the database now", async () => {
    mkdirSync(join(world.folder, "earlier", "store"), { recursive: true });
    const earlier = world.factory("earlier", { FACTORY_DATA_PATH: join(world.folder, "earlier") });
    await expect(earlier).rejects.toThrow(code("SRV_STORE_FORMAT"));
  });

  it("is many long lists in a minute: one counts for what is read, however short it is", async () => {
    const limited = await world.factory("limited", {
      FACTORY_BASES: "",
      FACTORY_RATE_LIMIT_PER_MINUTE: "60",
    });
    const ask = async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => (await fetch(`${limited.url}/v1/bases`)).text()),
      );
      return answers.filter((answer) => answer.includes("too many long answers")).length;
    };
    expect(await ask()).toBe(0);
    await administer(
      (await world.database("limited")).url,
      `insert into factory.bases (id, place, view, files)
         select 'base-' || i, 'place-' || i, '{}', '{}' from generate_series(1, 1000) as i`,
    );
    // The size that was seen last decides.
    expect(await (await fetch(`${limited.url}/v1/bases`)).json()).toHaveLength(1_001);
    expect(await ask()).toBeGreaterThan(10);
  });

  it("is whoever has not signed, or is none of its accounts", async () => {
    const answer = await fetch(`${factory.url}/v1/jobs`);
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      401,
      "DNT_REQUEST_UNSIGNED",
    ]);
    const closed = await world.factory("closed", { FACTORY_ACCOUNTS: "2", FACTORY_BASES: "" });
    await expect((await closed.as(1)).jobs()).rejects.toThrow(code("MOD_FACTORY_REFUSED"));
    expect(await (await closed.as(0)).jobs()).toEqual([]);
    expect(() => readFactoryConfig({ FACTORY_HOST: "0.0.0.0" })).toThrow(code("SRV_CONFIG_INVALID"));
    expect(readFactoryConfig({ FACTORY_HOST: "0.0.0.0", FACTORY_ACCOUNTS: "any" }).accounts).toBe("any");
  });

  it("is a large body, before it is read: one that nobody has signed, and one above what any route takes", async () => {
    const { host } = new URL(factory.url);
    const { session } = (await (await fetch(`${factory.url}/v1/info`)).json()) as { session: string };
    const head = `POST /v1/datasets HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n`;
    const sockets: Socket[] = [];
    const announce = (header = "") => {
      const socket = connect(Number(new URL(factory.url).port), "127.0.0.1");
      sockets.push(socket);
      socket.on("error", () => {});
      socket.write(`${head}${header}content-length: 20000000\r\n\r\n`);
      return new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
    };
    expect(await announce()).toContain("DNT_REQUEST_UNSIGNED");
    const point = `0x${"1".repeat(64)}`;
    const signature = { r8x: point, r8y: point, s: point };
    const proof = { leafId: 3, session, nonce: "0".repeat(32), expiresAtMs: Date.now() + 60_000, signature };
    const forged = `x-openledger-request: ${JSON.stringify(proof)}\r\n`;
    expect(await announce(forged)).toContain("413 Payload Too Large");
    for (const socket of sockets) socket.destroy();
    const answer = await fetch(`${factory.url}/v1/jobs`);
    expect(answer.status).toBe(401);
  });

  it("is a base that is no model, or that lies elsewhere", async () => {
    const bad = join(world.folder, "bases", "bad");
    mkdirSync(bad, { recursive: true });
    writeFileSync(join(bad, "config.json"), "{}");
    await expect(alice.addBase(bad)).rejects.toThrow(code("MOD_CONFIG_UNSUPPORTED"));
    await expect(alice.addBase(join(world.folder, "bases", "none"))).rejects.toThrow(
      code("MOD_SOURCE_UNREADABLE"),
    );
    for (const position of [`${world.folder}/bases/a\0b`, `${world.folder}/bases/\ud800`])
      await expect(alice.addBase(position)).rejects.toThrow(code("SRV_BAD_REQUEST"));
    const start = "http://127.0.0.1:9/models";
    const around = ["%2e%2e/a", "..\\a", ".\t./a", "../a", "?/a"].map((rest) => `${start}/${rest}`);
    await expect(alice.addBase(`${start}/a`)).rejects.toThrow(code("MOD_SOURCE_UNREADABLE"));
    for (const position of ["/etc", `${world.folder}/bases/../home`, "http://127.0.0.1:1/model", ...around])
      await expect(alice.addBase(position)).rejects.toThrow(code("MOD_FACTORY_REFUSED"));
  });

  it("is not a base that was put into a folder of the list: it is listed at the next look, a broken one is not", async () => {
    const folder = join(world.folder, "listed");
    const listing = await (await world.factory("listing", { FACTORY_BASES: `${folder}/*` })).as(0);
    const names = async () => (await listing.bases()).map(({ name }) => name);
    expect(await names()).toEqual(["openledger-base"]);
    await addBase(world.basePath, folder, { kernels: "wasm" });
    mkdirSync(join(folder, "broken"));
    expect(await names()).toEqual(["openledger-base", "small"]);
    expect(await names()).toEqual(["openledger-base", "small"]);
  });

  it("is not a hub's base that the operator allows: planned, fetched with its bytes counted, and listed", async () => {
    const hub = await startHub("someone/small", world.basePath);
    process.env.HF_ENDPOINT = hub.hub;
    try {
      const bases = join(world.folder, "of-hub");
      const settings = { FACTORY_BASES: `${bases}/*`, FACTORY_BASE_PLACES: `${hub.hub}/someone` };
      const client = await (await world.factory("of-hub", settings)).as(0);
      expect(await client.planBase("someone/small")).toMatchObject({ name: "small", commit: hub.commit });
      for (const other of ["other/small", "someone/.."])
        await expect(client.addBase(other)).rejects.toThrow(code("MOD_FACTORY_REFUSED"));
      for (let tries = 0; tries < 2; tries++)
        await expect(client.addBase("someone/none")).rejects.toThrow(code("MOD_SOURCE_UNREADABLE"));
      const added = await client.addBase("someone/small");
      expect(added).toMatchObject({ name: "small", source: "folder" });
      expect(await client.addBase("someone/small")).toEqual(added);
      expect((await client.bases()).map(({ name }) => name)).toEqual(["openledger-base", "small"]);
      // One that the settings name by its folder is offered first.
      const named = { FACTORY_BASES: `${join(bases, "small")},${bases}/*` };
      const first = await (await world.factory("named-first", named)).as(0);
      expect((await first.bases()).map(({ name }) => name)).toEqual(["small", "openledger-base"]);
    } finally {
      delete process.env.HF_ENDPOINT;
      await hub.close();
    }
  });

  it("is rows that are too many, malformed, or of nothing that it knows", async () => {
    const strict = await world.factory("strict", {
      FACTORY_MAX_ROWS: "10",
      FACTORY_BASES: "",
      FACTORY_MAX_STORE_BYTES: "1024",
    });
    const client = await strict.as(0);
    const lines = (name: string) =>
      world.publish(Array.from({ length: 10 }, (_, i) => ({ text: `${name}${i}`.repeat(60) })));
    await client.addDataset(await lines("first"));
    await expect(client.addDataset(await lines("second"))).rejects.toThrow(code("SRV_DISK_FULL"));
    const small = await (await world.factory("small", { FACTORY_MAX_ROWS: "10", FACTORY_BASES: "" })).as(0);
    await expect(small.addDataset(published)).rejects.toThrow(code("SRV_TOO_LARGE"));
    const hostUrl = world.datanetHost.url;
    const elsewhere = {
      kind: "datanet" as const,
      hostUrl: "http://127.0.0.1:9",
      datanetId: 1,
      version: null,
    };
    // Past the client's own look at the host, which would find none there.
    const user = await world.user(0);
    const send = (body: object) => {
      const call = { method: "POST" as const, path: "/v1/datasets", body, isSigned: true };
      return askServer(user, factory.url, call, z.unknown(), "factory");
    };
    // As earlier clients ask.
    const upload = { kind: "upload", name: "try", jsonl: '{"text":"a"}' };
    await expect(send(upload)).rejects.toThrow(code("MOD_FACTORY_UPLOADS_GONE"));
    await expect(send(elsewhere)).rejects.toThrow(code("MOD_FACTORY_REFUSED"));
    const unknown = { ...elsewhere, hostUrl, datanetId: 9_999 };
    await expect(send(unknown)).rejects.toThrow(code("OP_UNKNOWN_LEAF"));
    await expect(alice.addDataset(unknown)).rejects.toThrow(code("DNT_NOT_HOSTED"));
  });

  it("is a form that base or rows do not fit, and a row that is longer than it says", async () => {
    const request = await requestOf(alice);
    for (const changes of [{ rowTokens: 97 }, { heldOutRows: 21 }, { answerTokens: 48 }, { rank: 0 }])
      await expect(alice.begin({ ...request, form: { ...request.form, ...changes } })).rejects.toThrow(
        code("SRV_BAD_REQUEST"),
      );
    await expect(
      alice.begin({ ...request, form: { ...request.form, rounds: 1_000, rowsPerStep: 1 } }),
    ).rejects.toThrow(code("SRV_TOO_LARGE"));
    await expect(
      alice.estimate({ ...request, form: { ...request.form, rowTokens: 8, answerTokens: 2 } }),
    ).rejects.toThrow(code("ATT_ROW_INVALID"));
    // None of them is a job: it could never begin.
    const { length } = await alice.jobs();
    for (const [changes, why] of [
      [{ targets: ["c_attn"] }, "MOD_FILE_INVALID"],
      [{ rowTokens: 8, answerTokens: 2 }, "ATT_ROW_INVALID"],
    ] as const)
      await expect(
        alice.begin({ ...request, form: { ...request.form, ...changes } as WriteForm }),
      ).rejects.toThrow(code(why));
    expect(await alice.jobs()).toHaveLength(length);
    const { id } = await alice.begin(await requestOf(alice, { rounds: 60 }));
    await expect(alice.compare(id, { prompts: ["a"], answerTokens: 4 })).rejects.toThrow(
      code("MOD_FACTORY_JOB_STATE"),
    );
    const spec = { name: "..%2F..%2Fspec", sizeBytes: 1, sha256: "0".repeat(64) };
    await expect(alice.file(id, "adapter", spec)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
  });
});
