import { cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storeKeys } from "../store/store-keys.ts";
import { bindLease } from "../store/stored-lease.ts";
import { openTestLog } from "../testing/open-test-log.ts";
import {
  l1PlaceOf,
  operationJson,
  operatorHeaders,
  startTestRollup,
  type TestRollup,
  temporaryFolder,
  transfer,
} from "../testing/test-rollup.ts";

const REPLICA_TOKEN = "a-standby-s-token-of-tests";
const replicaHeaders = { authorization: `Bearer ${REPLICA_TOKEN}` };
const MARGIN_MS = 10_000;
/** Seconds of the tests' clock. */
const NOW_SECONDS = 1_000;
const folder = temporaryFolder();
const dataPath = join(folder.path, "data");
let rollup: TestRollup;
let nonce = 0n;

const start = (environment: Record<string, string>) =>
  startTestRollup({ dataPath, environment, isL1HeadKnown: false });
const report = (timestamp: number, lease: { epoch: number; endsAtSeconds: number } | null) =>
  rollup.post(
    "/operator/l1-head",
    {
      ...{ blockNumber: timestamp, timestamp, place: l1PlaceOf(rollup) },
      lease: lease === null ? null : { ...lease, url: "http://standby" },
    },
    operatorHeaders,
  );
const send = (at = nonce) =>
  rollup.post("/v1/operations", operationJson(transfer(rollup.users[0]!, rollup.users[1]!, at)));
const confirm = (operationCount: number, generation: string, from = 0) =>
  rollup.get(
    `/operator/log?from=${from}&operationCount=${operationCount}&generation=${generation}`,
    replicaHeaders,
  );

beforeAll(async () => {
  // Funded, and without a lease: an operator who has one machine yet.
  await (await startTestRollup({ dataPath })).stop();
});
afterAll(async () => {
  await rollup.stop();
  folder.remove();
});

describe("a sequencer that needs a lease", () => {
  const environment = { SEQUENCER_LEASE: "required", SEQUENCER_LEASE_MARGIN_MS: String(MARGIN_MS) };

  it("does not start on a directory that has taken none", async () => {
    await expect(start(environment)).rejects.toMatchObject({ code: "SEQ_LEASE_MISSING" });
    const log = await openTestLog(dataPath);
    await bindLease(log, dataPath, 2);
    await log.close();
    rollup = await start(environment);
    expect((await rollup.get("/operator/lease", operatorHeaders)).body).toMatchObject({ epoch: 2 });
  });

  it("does not start on a copy of a directory that has taken one, and does where that was moved", async () => {
    await rollup.stop();
    const elsewhere = join(folder.path, "elsewhere");
    cpSync(dataPath, elsewhere, { recursive: true, preserveTimestamps: true });
    const copied = startTestRollup({ dataPath: elsewhere, environment, isL1HeadKnown: false });
    await expect(copied).rejects.toMatchObject({
      code: "SEQ_LEASE_MISSING",
      data: { reason: "lease-copied", epoch: 2 },
      message: expect.stringContaining("lease take --copy"),
    });
    // Put back from a backup it is a copy, too: what came after the backup is not in it.
    const original = `${dataPath}.original`;
    renameSync(dataPath, original);
    renameSync(elsewhere, dataPath);
    await expect(start(environment)).rejects.toMatchObject({
      code: "SEQ_LEASE_MISSING",
      data: { reason: "lease-copied" },
    });
    rmSync(dataPath, { recursive: true });
    renameSync(original, dataPath);
    rollup = await start(environment);
  });

  it("promises nothing before the bridge has told of its epoch", async () => {
    await report(NOW_SECONDS, { epoch: 1, endsAtSeconds: NOW_SECONDS + 60 });
    expect(await send()).toMatchObject({ status: 503, body: { error: { code: "SEQ_LEASE_ENDED" } } });
    expect((await rollup.get("/health")).body).toMatchObject({ status: "no-lease" });
    await report(NOW_SECONDS, { epoch: 2, endsAtSeconds: NOW_SECONDS + 60 });
    const sent = await send();
    expect(sent).toMatchObject({ status: 202, body: { lease: { epoch: 2, remainingMs: 60_000 } } });
    expect(sent.body.preconfirmation.opIndex).toBe(0);
    expect((await rollup.get("/health")).status).toBe(200);
    nonce += 1n;
  });

  it("stops a margin before the lease's end by its own clock, also for what it promised before", async () => {
    const { hash } = (await send(nonce++)).body;
    rollup.clock.nowMs += 60_000 - MARGIN_MS - 1;
    expect((await rollup.get(`/v1/operations/${hash}`)).status).toBe(200);
    rollup.clock.nowMs += 1;
    const answers = await Promise.all([
      send(),
      // What it knows already is a promise, too.
      send(nonce - 1n),
      rollup.get(`/v1/operations/${hash}`),
      rollup.get("/v1/operations?leaf=2"),
      rollup.get("/v1/log?from=0"),
      // It may be cut off from L1, and never hear that another one leads: provers ask there.
      rollup.get("/operator/prove-jobs", operatorHeaders),
      rollup.get("/operator/prove-jobs/next?prover=p", operatorHeaders),
    ]);
    for (const answer of answers) expect(answer.body).toMatchObject({ error: { code: "SEQ_LEASE_ENDED" } });
    rollup.sequencer.tick();
    const metrics = await rollup.app.inject("/metrics");
    expect(metrics.body).toContain("\nrollup_lease_seconds 0\n");
    await report(NOW_SECONDS + 50, { epoch: 2, endsAtSeconds: NOW_SECONDS + 120 });
    expect((await rollup.get(`/v1/operations/${hash}`)).status).toBe(200);
    expect((await rollup.get("/operator/prove-jobs", operatorHeaders)).status).toBe(200);
  });

  it("promises nothing while its clock is behind L1's by half of the margin", async () => {
    const seconds = Math.floor(rollup.clock.nowMs / 1_000) + MARGIN_MS / 2_000 + 1;
    const lease = { epoch: 2, endsAtSeconds: seconds + 120 };
    await report(seconds, lease);
    expect((await send()).body).toMatchObject({
      error: { code: "SEQ_LEASE_ENDED", data: { isClockBehind: true } },
    });
    await report(seconds - 2, lease);
    expect((await send(nonce++)).status).toBe(202);
  });

  it("gives up for good once another machine has the lease, and tells where that one is", async () => {
    const seconds = Math.floor(rollup.clock.nowMs / 1_000);
    await report(seconds, { epoch: 3, endsAtSeconds: seconds + 60 });
    await report(seconds, { epoch: 2, endsAtSeconds: seconds + 60 });
    expect(await send()).toMatchObject({
      status: 503,
      body: { error: { code: "SEQ_LEASE_LOST", data: { epoch: 3, url: "http://standby" } } },
    });
    // Provers go to the other one.
    const job = await rollup.get("/operator/prove-jobs/next?prover=p", operatorHeaders);
    expect(job.body).toMatchObject({ error: { code: "SEQ_LEASE_LOST" } });
    expect((await rollup.app.inject("/metrics")).body).toContain("\nrollup_lease_lost 1\n");
    // The full node of the new one may still have what this one executed.
    await rollup.stop();
  });
});

describe("a sequencer that needs its standby's acknowledgement", () => {
  const environment = {
    SEQUENCER_REPLICA: "required",
    SEQUENCER_REPLICA_TOKEN: REPLICA_TOKEN,
    // One test lets it pass; in another the word has to come before, on a machine however busy.
    SEQUENCER_REPLICA_TIMEOUT_MS: "3000",
  };
  let generation: string;

  it("executes nothing before it has heard the standby", async () => {
    rollup = await start(environment);
    await report(NOW_SECONDS, null);
    expect((await send()).body).toMatchObject({ error: { code: "SEQ_REPLICA_SILENT" } });
    expect((await rollup.get("/operator/log?from=0", operatorHeaders)).status).toBe(401);
    const page = await confirm(0, "");
    expect(page.body).toMatchObject({ isReplicaRequired: true });
    ({ generation } = page.body);
  });

  it("promises an operation once the standby has it, and to nobody before", async () => {
    const opIndex = Number(nonce);
    const sent = send();
    const entry = await untilThere(opIndex);
    // The standby sees it before anybody else; the public log ends before it.
    expect(entry.preconfirmation.opIndex).toBe(opIndex);
    const operations = async () =>
      (await rollup.get("/v1/log?from=0&limit=500")).body.entries.filter(
        ({ type }: { type: string }) => type === "operation",
      );
    await confirm(opIndex, generation);
    expect(await operations()).toHaveLength(opIndex);
    expect((await sent).body).toMatchObject({ error: { code: "SEQ_REPLICA_SILENT" } });
    const { operationHash } = entry.preconfirmation;
    expect((await rollup.get(`/v1/operations/${operationHash}`)).status).toBe(503);
    rollup.sequencer.tick();
    expect((await rollup.app.inject("/metrics")).body).toContain("\nrollup_replica_lag_operations 1\n");
    // A word about another generation of the log counts for nothing.
    await confirm(opIndex + 1, "another-0");
    expect((await rollup.get(`/v1/operations/${operationHash}`)).status).toBe(503);
    await confirm(opIndex + 1, generation);
    expect(await send()).toMatchObject({ status: 202, body: { hash: operationHash } });
    expect(await operations()).toHaveLength(opIndex + 1);
    nonce += 1n;
  });

  it("forgets what was confirmed when entries are replaced", async () => {
    const page = await confirm(Number(nonce), generation);
    expect(page.body.generation).toBe(generation);
    await rollup.sequencer.log.write([{ key: storeKeys.log(9_999_999) }]);
    const later = await confirm(Number(nonce), generation);
    expect(later.body.generation).not.toBe(generation);
    const { operationHash } = (await untilThere(Number(nonce) - 1)).preconfirmation;
    expect((await rollup.get(`/v1/operations/${operationHash}`)).status).toBe(503);
    await confirm(Number(nonce), later.body.generation);
    expect((await rollup.get(`/v1/operations/${operationHash}`)).status).toBe(200);
  });

  it("answers the standby as soon as there is something", async () => {
    const { nextSequence } = (await confirm(Number(nonce), rollup.sequencer.replica.generation)).body;
    const waiting = rollup.get(
      `/operator/log?from=${nextSequence}&operationCount=${nonce}&generation=${rollup.sequencer.replica.generation}&waitMs=20000`,
      replicaHeaders,
    );
    const sent = send();
    const types = (await waiting).body.entries.map(({ type }: { type: string }) => type);
    expect(types).toContain("operation");
    await confirm(Number(nonce) + 1, rollup.sequencer.replica.generation);
    expect((await sent).status).toBe(202);
    nonce += 1n;
  });

  async function untilThere(opIndex: number) {
    for (let attempt = 0; attempt < 500; attempt++) {
      const { entries } = (await rollup.get("/operator/log?from=0&limit=500", replicaHeaders)).body;
      const found = entries.find(
        (one: { preconfirmation?: { opIndex: number } }) => one.preconfirmation?.opIndex === opIndex,
      );
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`operation ${opIndex} is not in the log`);
  }
});
