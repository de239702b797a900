import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleCard } from "@openledger/datanets/testing/sample-card";
import { startOwnServer } from "@openledger/foundation/testing/own-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createFactoryWorld, type FactoryWorld, writeFormOf } from "../../testing/factory-world.ts";
import { sampleTexts } from "../../testing/text-rows.ts";
import type { DatasetRequest, FactoryJob, JobEvent, JobRequest, WriteForm } from "../factory-api.ts";
import type { FactoryClient } from "../factory-client.ts";

/** Lease of workers that are killed. */
const LEASE_MS = 3_000;
const code = (name: string) => expect.objectContaining({ code: name });

let world: FactoryWorld;
let published: DatasetRequest;
beforeAll(async () => {
  world = await createFactoryWorld({ userCount: 3, card: sampleCard(), circuits: [] });
  published = await world.publish(sampleTexts(24));
});
afterAll(() => world?.close());

async function requestOf(client: FactoryClient, changes: Partial<WriteForm> = {}): Promise<JobRequest> {
  const { id: datasetId } = await client.addDataset(published);
  const { id: baseId } = (await client.bases()).find(({ source }) => source === "folder")!;
  const form = writeFormOf(await client.form(baseId, datasetId));
  const small = { rank: 2, rowTokens: 48, heldOutRows: 4, answerTokens: 12, rounds: 60, rowsPerStep: 4 };
  return { baseId, datasetId, form: { ...form, ...small, ...changes } };
}

async function eventsUntil(client: FactoryClient, id: string, isLast: (event: JobEvent) => boolean) {
  const events: JobEvent[] = [];
  for await (const event of client.follow(id)) {
    events.push(event);
    if (isLast(event)) return events;
  }
  return events;
}
const isEnd = (event: JobEvent) => event.kind === "state" && /^(done|failed)$/.test(event.state);
const isState = (state: FactoryJob["state"]) => (event: JobEvent) =>
  event.kind === "state" && event.state === state;
const isStep = (step: number) => (event: JobEvent) => event.kind === "step" && event.step >= step;

/** Each step once, whatever was killed in between. */
function requireEachOnce(events: readonly JobEvent[], steps: number): void {
  expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
  const said = events.filter((event) => event.kind === "step").map(({ step }) => step);
  expect(said).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
}

it("trains two jobs on two workers at once, and one takes over from the other after kill -9, to the same bytes", async () => {
  const settings = { FACTORY_MAX_RUNNING: "0" };
  const first = await world.factory("many", settings);
  const second = await world.factory("many", settings);
  // Both servers are one factory: a session, its jobs and their events.
  const [alice, bob] = [await first.as(0), await second.as(1)];
  const aliceElsewhere = await second.as(0);
  const request = await requestOf(alice);
  const job = await alice.begin(request);
  expect(await aliceElsewhere.job(job.id)).toMatchObject({ state: "queued", queuedBefore: 0 });
  const onOne: [jobId: string, hasState: boolean][] = [];
  const onTwo: typeof onOne = [];
  const one = await world.worker("many", {}, (...begun) => onOne.push(begun));
  await eventsUntil(aliceElsewhere, job.id, isStep(25));
  const two = await world.worker("many", { FACTORY_MAX_RUNNING: "2" }, (...begun) => onTwo.push(begun));
  const other = await bob.begin(await requestOf(bob));
  await eventsUntil(bob, other.id, isStep(1));
  expect([onOne, onTwo]).toEqual([[[job.id, false]], [[other.id, false]]]);
  expect((await alice.job(job.id)).state).toBe("running");
  await one.end("SIGKILL");
  const killedAtMs = Date.now();
  const events = await eventsUntil(aliceElsewhere, job.id, isEnd);
  const begunAgain = events.filter(isState("running")).at(-1)!;
  expect(onTwo.at(-1)).toEqual([job.id, true]);
  // With the lease that workers have by themselves.
  expect(begunAgain.atMs - killedAtMs).toBeLessThan(60_000);
  expect(await alice.job(job.id)).toMatchObject({ state: "done", failure: null });
  requireEachOnce(events, 300);
  requireEachOnce(await eventsUntil(bob, other.id, isEnd), 300);
  // The same rows, form and base: whoever was not interrupted has the same model.
  const [taken, whole] = [await alice.job(job.id), await bob.job(other.id)];
  expect(taken.result!.adapterSha256).toBe(whole.result!.adapterSha256);
  const { files } = await bob.export(other.id, "adapter");
  for (const file of files) {
    const same = (await alice.export(job.id, "adapter")).files.find(({ name }) => name === file.name);
    expect(await first.as(0).then((client) => client.file(job.id, "adapter", same!))).toEqual(
      await bob.file(other.id, "adapter", file),
    );
  }
  await two.end("SIGTERM");
}, 180_000);

it("fails a job that three workers have not outlived, and gives back that of a worker that is stopped", async () => {
  const factory = await world.factory("poison", { FACTORY_MAX_RUNNING: "0" });
  const alice = await factory.as(0);
  const poison = await alice.begin(await requestOf(alice));
  for (let killed = 0; killed < 3; killed++) {
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const worker = await world.worker("poison", { FACTORY_LEASE_MS: String(LEASE_MS) }, () => begun());
    await hasBegun;
    await worker.end("SIGKILL");
    expect((await alice.job(poison.id)).step).toBe(0);
  }
  const last = await world.worker("poison", { FACTORY_LEASE_MS: String(LEASE_MS) });
  const events = await eventsUntil(alice, poison.id, isEnd);
  expect(await alice.job(poison.id)).toMatchObject({
    state: "failed",
    failure: { code: "MOD_FACTORY_TRAINER_ENDED", data: { starts: 3 } },
  });
  expect(events.filter(isState("running"))).toHaveLength(3);
  // Its owner may try again.
  await alice.wish(poison.id, "resume");
  await expect.poll(async () => (await alice.job(poison.id)).step, { timeout: 30_000 }).toBeGreaterThan(20);
  await expect(alice.deleteJob(poison.id)).rejects.toThrow(code("MOD_FACTORY_JOB_STATE"));
  expect(await last.end("SIGTERM")).toBe(0);
  expect(await alice.job(poison.id)).toMatchObject({ state: "queued", failure: null });
  await alice.wish(poison.id, "pause");
  const next = await alice.begin(await requestOf(alice, { rounds: 1 }));
  expect(next.queuedBefore).toBe(0);
  const worker = await world.worker("poison");
  await eventsUntil(alice, next.id, isEnd);
  expect((await alice.job(poison.id)).state).toBe("paused");
  await alice.deleteJob(poison.id);
  await expect(alice.job(poison.id)).rejects.toThrow(code("MOD_FACTORY_UNKNOWN"));
  // With its events, its state and its place in the queue.
  expect(await (await fetch(`${factory.url}/health`)).json()).toMatchObject({ status: "ok", jobs: 1 });
  await worker.end("SIGTERM");
}, 180_000);

it("takes nothing from a worker that was put to sleep and lost its job meanwhile", async () => {
  const factory = await world.factory("asleep", { FACTORY_MAX_RUNNING: "0" });
  const alice = await factory.as(0);
  const { id } = await alice.begin(await requestOf(alice));
  const environment = { FACTORY_LEASE_MS: String(LEASE_MS) };
  const asleep = await world.worker("asleep", environment);
  await eventsUntil(alice, id, isStep(25));
  // Its child goes on, and is ahead of what is stored; a transaction that it had begun locks the job for a while.
  asleep.process.kill("SIGSTOP");
  const { step } = await alice.job(id);
  const awake = await world.worker("asleep", environment);
  await expect.poll(async () => (await alice.job(id)).step, { timeout: 50_000 }).toBeGreaterThan(step + 20);
  asleep.process.kill("SIGCONT");
  requireEachOnce(await eventsUntil(alice, id, isEnd), 300);
  const { result, state } = await alice.job(id);
  expect(state).toBe("done");
  const again = await alice.begin(await requestOf(alice));
  requireEachOnce(await eventsUntil(alice, again.id, isEnd), 300);
  expect((await alice.job(again.id)).result!.adapterSha256).toBe(result!.adapterSha256);
  expect(await asleep.end("SIGTERM")).toBe(0);
  expect(await awake.end("SIGTERM")).toBe(0);
}, 180_000);

it("goes on after the database was killed and has come back", async () => {
  const folder = mkdtempSync(join(tmpdir(), "factory-database-"));
  chmodSync(folder, 0o755);
  const server = await startOwnServer("packaged", join(folder, "server"));
  try {
    const factory = await world.factory("restarted", { FACTORY_DATABASE_URL: server.url });
    const alice = await factory.as(0);
    const { id } = await alice.begin(await requestOf(alice));
    await eventsUntil(alice, id, isStep(30));
    await server.kill();
    await expect(alice.job(id)).rejects.toThrow(code("SRV_DATABASE_UNREACHABLE"));
    const startAgain = () =>
      server.start().then(
        () => true,
        () => false,
      );
    await expect.poll(startAgain).toBe(true);
    const events = await eventsUntil(alice, id, isEnd);
    requireEachOnce(events, 300);
    expect(await alice.job(id)).toMatchObject({ state: "done", failure: null });
    await factory.stop();
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);
