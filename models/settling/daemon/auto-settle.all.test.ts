import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openCheckable } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { askModel } from "@openledger/client/actions/answers/ask-model";
import { payInference } from "@openledger/client/actions/ledger/pay-inference";
import { listOperations } from "@openledger/client/sequencer/ledger-reads";
import { getModel, getPayments, getSettlement } from "@openledger/client/sequencer/model-reads";
import { payForAnswer } from "@openledger/client/tasks/pay-for-answer";
import { hex32 } from "@openledger/foundation/hex";
import { freePort } from "@openledger/foundation/testing/free-port";
import { runInProcess } from "@openledger/scripts/commands/testing/run-in-process";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startSettlementGate } from "../../testing/settlement-gate.ts";
import { CAP, PRICE_WEI, type SettlingWorld, startSettlingWorld } from "../../testing/settling-fixture.ts";
import type { SettlingView } from "./turn-report.ts";

// The command that people serve a model with, as a process that is killed; real node, sequencer, bridge and proofs.

const HOUR_SECONDS = 3_600;

let world: SettlingWorld;
let folder: string;
let model: PublishedModel;
let modelId: number;
let modelFolder: string;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "settling-"));
  world = await startSettlingWorld(folder);
  process.env.OPENLEDGER_HOME = world.home;
  // Also of the servers that only refuse: theirs would be the one that the machine's devnet uses.
  process.env.SERVING_DATABASE_URL = world.databaseUrl;
  ({ model, modelId, modelFolder } = await world.makeModel());
  port = await freePort();
}, 900_000);
afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Server {
  readonly child: ChildProcess;
  readonly lines: string[];
  kill(signal?: NodeJS.Signals): Promise<void>;
}
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill();
});

const url = (at = port) => `http://127.0.0.1:${at}/ledger/${modelId}`;

function wordsOf(args: readonly string[], at = port, sequencerUrl = world.sequencerUrl): string[] {
  const { f, home } = world;
  return [
    "models",
    "serve",
    modelFolder,
    "--port",
    String(at),
    "--data",
    join(folder, `answers-${at}`),
    "--model",
    String(modelId),
    "--sequencer",
    sequencerUrl,
    "--rpc",
    f.rpcUrl,
    "--rollup",
    f.rollup.address,
    "--settle",
    "--private-key-file",
    join(home, "alice-key"),
    ...args,
  ];
}

/** Runs a server that ends by itself. @returns its standard error */
const refusal = async (...args: string[]) => (await runInProcess(...wordsOf(args))).stderr;

interface ServeOptions {
  readonly args?: readonly string[];
  readonly port?: number;
  /** Default: the world's. */
  readonly sequencerUrl?: string;
  /** It dies as it writes the first line with this. */
  readonly killAt?: string;
  /** File by which one alone of several servers dies. */
  readonly killOnce?: string;
}

/** `models serve --settle` until it answers. */
async function serve({
  args = [],
  killAt,
  killOnce,
  port: at = port,
  sequencerUrl,
}: ServeOptions = {}): Promise<Server> {
  const loaders = ["--import", "tsx", "--import", "./models/testing/die-at-line.ts"];
  const entry = [...loaders, join("scripts", "openledger.ts"), ...wordsOf(args, at, sequencerUrl)];
  const child = spawn(process.execPath, entry, {
    cwd: repositoryRoot,
    env: {
      ...process.env,
      DIE_AT_LINE: killAt,
      DIE_ONCE: killOnce,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  // With all that it has written: `exit` may come before the last of it is read.
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const take = (chunk: Buffer) => {
    lines.push(...chunk.toString().split("\n").filter(Boolean));
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const server: Server = {
    child,
    lines,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await exited;
    },
  };
  servers.push(server);
  await until("the server answers", async () => {
    if (child.exitCode !== null) throw new Error(lines.join("\n"));
    const answered = await fetch(`${url(at)}/v1/settling`).catch(() => null);
    return answered?.ok === true || child.signalCode !== null;
  });
  return server;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  // Generous: it says what was waited for where a machine is so slow, or the code so wrong.
  for (const deadlineMs = Date.now() + 240_000; Date.now() < deadlineMs; await sleep(200)) {
    if (await isSo()) return;
  }
  throw new Error(`not within four minutes: ${what}; ${JSON.stringify(await view().catch(String))}`);
}

const view = async (at = port) => (await (await fetch(`${url(at)}/v1/settling`)).json()) as SettlingView;
const isStage = (stage: string) => async () => (await view()).stage === stage;

async function ask(count: number, seed: string, serverUrl = url()): Promise<void> {
  const checkable = await openCheckable(model);
  for (const { input: prompt } of sampleInputs("text", count, seed)) {
    const answer = await askModel(world.bob, { serverUrl, modelId, prompt });
    await payForAnswer(world.bob, { modelId, model: checkable, prompt, answer });
  }
}

const closingCount = async () =>
  (await listOperations(world.alice, modelId, { limit: 200 })).filter(({ kind }) => kind === "closeEpoch")
    .length;

async function expectSettled(epoch: number, paymentCount: number) {
  const settlement = (await getSettlement(world.alice, modelId, epoch))!;
  expect(settlement.l1TransactionHash).toMatch(/^0x/);
  const { burnedWei, earnedSumWei, ownerWei, treasuryWei } = settlement;
  expect(earnedSumWei! + ownerWei! + treasuryWei! + burnedWei!).toBe(BigInt(paymentCount) * PRICE_WEI);
  expect((await world.f.rollup.state()).root).toBe(world.w.rollup.sequencer.pipeline.head.ledger.root);
  return settlement;
}

describe("models serve --settle", () => {
  it("closes a full epoch and settles it on L1 once, killed at every step", {
    timeout: 900_000,
  }, async () => {
    let server = await serve({ killAt: "epoch 1 is full" });
    await ask(CAP, "full");
    await until("the first kill", async () => server.child.signalCode === "SIGKILL");
    expect((await getModel(world.alice, modelId)).closedEpoch).toMatchObject({ epoch: 1 });
    await world.settle();

    server = await serve();
    await until("it waits", isStage("awaiting-randomness"));
    await server.kill();
    await world.mineRandomness();
    await world.settle();
    expect((await getModel(world.alice, modelId)).closedEpoch?.prevRandao).not.toBeNull();

    for (const killAt of ["epoch 1: preparing", "epoch 1: settlement proven"]) {
      server = await serve({ killAt });
      await until(`killed at ${killAt}`, async () => server.child.signalCode === "SIGKILL");
    }
    expect((await getModel(world.alice, modelId)).closedEpoch, "nothing is settled yet").not.toBeNull();

    server = await serve({ killAt: "is settled in batch" });
    await until("the last kill", async () => server.child.signalCode === "SIGKILL");
    expect(server.lines.join("\n"), "the kept proof was sent").not.toContain("settlement proven");
    server = await serve();
    await until("it is being posted", isStage("posting"));
    await world.settle();
    await until("it knows", isStage("open"));
    const settlement = await expectSettled(1, CAP);
    expect(await view()).toMatchObject({
      settled: { epoch: 1, l1TransactionHash: settlement.l1TransactionHash },
      epoch: 2,
      paymentCount: 0,
      cap: CAP,
      failure: null,
    });
    expect(await closingCount()).toBe(1);
    const metrics = await (await fetch(`${url()}/metrics`)).text();
    expect(metrics).toContain('model_settling_stage{stage="open"} 1');
    expect(metrics).toContain("model_settling_epoch 2");
  });

  it("closes an epoch that is over, and leaves one without payments open", { timeout: 600_000 }, async () => {
    await serve({ args: ["--epoch-length", String(HOUR_SECONDS)] });
    await world.passTime(HOUR_SECONDS);
    await sleep(5_000);
    expect((await getModel(world.alice, modelId)).closedEpoch, "nobody has paid").toBeNull();
    await ask(1, "over");
    await until("the close", async () => (await getModel(world.alice, modelId)).closedEpoch !== null);
    await world.settle();
    await world.mineRandomness();
    await world.settle();
    await until("the settlement", async () => (await getSettlement(world.alice, modelId, 2)) !== null);
    await world.settle();
    await expectSettled(2, 1);
    expect(await closingCount()).toBe(2);
  });

  it("burns nothing that it cannot open, unless it is told to", { timeout: 600_000 }, async () => {
    const server = await serve({ args: ["--epoch-length", "1"] });
    await world.passTime(10);
    await payInference(world.bob, { modelId, amountWei: PRICE_WEI, receipt: 12_345n });
    await until("the close", async () => (await getModel(world.alice, modelId)).closedEpoch !== null);
    await world.settle();
    await world.mineRandomness();
    await world.settle();
    await until("it says why not", async () => (await view()).failure?.code === "CMD_VOID_DRAWS");
    expect(await getSettlement(world.alice, modelId, 3)).toBeNull();
    await server.kill("SIGTERM");
    await serve({ args: ["--epoch-length", "1", "--consent-to-voids"] });
    await until("the settlement", async () => (await getSettlement(world.alice, modelId, 3)) !== null);
    await world.settle();
    const settlement = await expectSettled(3, 1);
    expect(settlement.voidCount).toBe(2);
    expect(settlement.burnedWei).toBeGreaterThan(0n);
  });

  it("refuses an account whose key is not the model's, and an epoch without length", {
    timeout: 600_000,
  }, async () => {
    const bobs = ["--private-key-file", join(world.home, "bob-key")];
    expect(await refusal(...bobs)).toContain("CMD_ACCOUNT_INVALID");
    expect(await refusal("--epoch-length", "0")).toContain("CMD_USAGE");
  });
});

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the JSON of a command
  json: any;
}
async function receiptStatus(...args: string[]): Promise<Answer> {
  const where = ["--sequencer", world.sequencerUrl, "--rpc", world.f.rpcUrl];
  const named = [...where, "--rollup", world.f.rollup.address, "--server", url(), "--json"];
  const { status, stdout } = await runInProcess("receipt", ...args, ...named);
  return { status, json: JSON.parse(stdout) };
}

// Of the epochs that the tests above have left.
describe("receipt", () => {
  it("says of each payment whether it was drawn, whom it paid and by which transaction", {
    timeout: 600_000,
  }, async () => {
    const server = await serve({ args: ["--epoch-length", "none"] });
    const settlement = (await getSettlement(world.alice, modelId, 1))!;
    const { payments } = await getPayments(world.alice, modelId, 1);
    let [hits, drawsWei, rowsWei] = [0, 0n, 0n];
    for (const { hash, receipt } of payments) {
      const { json } = await receiptStatus(hash);
      expect(json).toMatchObject({
        stage: "settled",
        epoch: 1,
        hash,
        operationStatus: expect.stringMatching(/posted|final/),
        drawCount: 2,
        isByRowCounts: false,
        settlement: { l1TransactionHash: settlement.l1TransactionHash, circuit: "direct-9-16-4-4-2" },
        paidUnknown: null,
      });
      expect(json.isDrawn).toBe(json.drawHits.length > 0);
      hits += json.drawHits.length;
      if (!json.isDrawn) expect(json.paid).toBeNull();
      else {
        const { burnedWei, contributors, ownerWei, treasuryWei } = json.paid;
        const earned = contributors.map((one: { earnedWei: string }) => BigInt(one.earnedWei));
        const ownRows = earned.reduce((sum: bigint, wei: bigint) => sum + wei, 0n);
        expect(ownRows).toBeGreaterThan(0n);
        expect(ownRows + BigInt(ownerWei) + BigInt(treasuryWei) + BigInt(burnedWei)).toBe(
          BigInt(json.paid.drawsWei),
        );
        drawsWei += BigInt(json.paid.drawsWei);
        rowsWei += ownRows;
      }
      const byReceipt = await receiptStatus(hex32(receipt), "--model", String(modelId));
      expect(byReceipt.json).toEqual(json);
    }
    expect(hits).toBe(2);
    expect(drawsWei, "two draws divide the epoch").toBe(BigInt(CAP) * PRICE_WEI);
    const offWei = settlement.earnedSumWei! - rowsWei;
    // Payees are paid in whole quanta, of less than 2^-38 of the epoch.
    expect(offWei < 10n && -offWei < (BigInt(CAP) * PRICE_WEI) >> 38n, `${offWei} wei`).toBe(true);

    const voided = (await getPayments(world.alice, modelId, 3)).payments[0]!;
    expect((await receiptStatus(voided.hash)).json.paid).toMatchObject({
      burnedWei: String(PRICE_WEI),
      contributors: [],
    });
    await ask(1, "open");
    const open = (await getPayments(world.alice, modelId)).payments[0]!;
    expect((await receiptStatus(open.hash)).json).toMatchObject({
      stage: "epoch-open",
      isDrawn: null,
      paid: null,
    });
    const list = (await receiptStatus("--leaf", "3")).json;
    expect(list.payments.map(({ stage }: { stage: string }) => stage).sort()).toEqual([
      "epoch-open",
      ...Array(CAP + 2).fill("settled"),
    ]);

    const prompt = sampleInputs("text", 1, "unpaid")[0]!.input;
    const answer = await askModel(world.bob, { serverUrl: url(), modelId, prompt });
    const unpaid = await receiptStatus(hex32(answer.receipt), "--model", String(modelId));
    expect(unpaid.json).toMatchObject({ stage: "unpaid", payerId: 3, priceWei: String(PRICE_WEI) });
    const unknown = await receiptStatus("0x1234", "--model", String(modelId));
    expect([unknown.status, unknown.json.error.code]).toEqual([1, "CLI_UNKNOWN"]);

    await server.kill("SIGTERM");
    const drawn = payments.map(({ hash }) => hash);
    const away = await Promise.all(drawn.map((hash) => receiptStatus(hash)));
    const codes = away.map(({ json }) => [json.isDrawn, json.paidUnknown?.code ?? null]);
    for (const [isDrawn, code] of codes) expect(code).toBe(isDrawn ? "ATT_SERVER_UNREACHABLE" : null);
  });
});

// Of the epoch that the tests above have left open.
describe("two servers with --settle on one database", () => {
  it("close and settle an epoch once, though the one that settles it is killed: the other takes over", {
    timeout: 900_000,
  }, async () => {
    const { epoch, paymentCount } = (await getModel(world.alice, modelId)).counters;
    const closedBefore = await closingCount();
    const ports = [port, await freePort()];
    const both = await Promise.all(
      ports.map((at) =>
        serve({
          port: at,
          args: ["--epoch-length", "none"],
          killAt: `epoch ${epoch}: preparing`,
          killOnce: join(folder, "killed-one"),
        }),
      ),
    );
    const linesWith = (text: string) =>
      both.flatMap(({ lines }) => lines.filter((line) => line.includes(text)));
    // Each of them answers for the other's epoch.
    // The first one is the answer that the tests above have left unpaid.
    for (let i = paymentCount; i < CAP; i++)
      await ask(1, i === paymentCount ? "unpaid" : `two ${i}`, url(ports[i % 2]));
    await until("the close", async () => (await getModel(world.alice, modelId)).closedEpoch !== null);
    await world.settle();
    await world.mineRandomness();
    await world.settle();
    await until("one of them is killed", async () =>
      both.some(({ child }) => child.signalCode === "SIGKILL"),
    );
    const killedAtMs = performance.now();
    const isAlive = ({ child }: Server) => child.signalCode === null;
    const at = ports[both.findIndex(isAlive)]!;
    const survivor = both.find(isAlive)!;
    await until("the other has taken over", async () =>
      survivor.lines.some((line) => line.includes(`epoch ${epoch}: preparing`)),
    );
    expect(performance.now() - killedAtMs).toBeLessThan(60_000);
    await until("the settlement", async () => (await getSettlement(world.alice, modelId, epoch)) !== null);
    await world.settle();
    await until("it knows", async () => (await view(at)).settled?.epoch === epoch);
    await expectSettled(epoch, CAP);
    expect((await view(at)).failure).toBeNull();
    expect(await closingCount()).toBe(closedBefore + 1);
    for (const line of ["is full: closed", "settlement proven", "is settled in batch"])
      expect(linesWith(line), linesWith("").join("\n")).toHaveLength(1);
  });

  it("prove an epoch once, and the one that waits shows how far the other is", {
    timeout: 900_000,
  }, async () => {
    const { epoch } = (await getModel(world.alice, modelId)).counters;
    const ports = [port, await freePort()];
    const gate = await startSettlementGate(world.sequencerUrl);
    onTestFinished(() => gate.stop());
    const both = await Promise.all(
      ports.map((at) => serve({ port: at, sequencerUrl: gate.url, args: ["--epoch-length", "none"] })),
    );
    const linesWith = (text: string) =>
      both.flatMap(({ lines }) => lines.filter((line) => line.includes(text)));
    await ask(CAP, "twice", url(ports[1]));
    await until("the close", async () => (await getModel(world.alice, modelId)).closedEpoch !== null);
    await world.settle();
    await world.mineRandomness();
    await world.settle();
    // The proof may take less time than lies between two looks of the server that waits, so its sending waits.
    for (const at of ports)
      await until("both show it", async () => {
        const { epoch: shown, stage } = await view(at);
        return shown === epoch && stage === "sending";
      });
    gate.open();
    await until("the settlement", async () => (await getSettlement(world.alice, modelId, epoch)) !== null);
    await world.settle();
    for (const at of ports) await until("both know", async () => (await view(at)).settled?.epoch === epoch);
    await expectSettled(epoch, CAP);
    for (const line of ["preparing its settlement", "settlement proven", "is settled in batch"])
      expect(linesWith(line), linesWith("").join("\n")).toHaveLength(1);
    for (const at of ports) expect((await view(at)).failure).toBeNull();
  });
});
