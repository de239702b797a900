/**
 * Epochs of a language model whose draws wait for claims (docs/explanation/fault-proofs.md): a real node, sequencer, bridge and
 * settlement proofs, and the commands that owner and watcher run.
 */
import { join } from "node:path";
import type { AnsweringModel } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { openChallenger } from "@openledger/challenger/challenger";
import { ClaimingReport } from "@openledger/challenger/claiming/claiming-report";
import { claimsOf, sharedSender } from "@openledger/challenger/claiming/serve-claims";
import { claimReceiptCall } from "@openledger/challenger/games/ledger-claims";
import { tracedOf, withTracing } from "@openledger/challenger/games/traced-recipe";
import type { ClaimableAnswer } from "@openledger/challenger/internal/claiming/propose-claims";
import { GameReader } from "@openledger/challenger/internal/games/read-games";
import {
  blindChallenge,
  falseTrace,
  placeOf,
} from "@openledger/challenger/internal/games/testing/played-games";
import { openTracedText, type TracedTextModel } from "@openledger/challenger/internal/games/traced-text";
import { chainKernels } from "@openledger/challenger/internal/trace/run-trace";
import { drawApprover } from "@openledger/challenger/playing/approve-draws";
import { inOrder } from "@openledger/challenger/sending/l1-queue";
import { queryBytes, queryCommitment } from "@openledger/circuits/internal/ledger/model-query";
import { answerHash, receiptHash } from "@openledger/circuits/ledger/model-query";
import { payInference } from "@openledger/client/internal/actions/ledger/pay-inference";
import { getModel, getPayments, getSettlement } from "@openledger/client/sequencer/model-reads";
import { deployRegistry } from "@openledger/contracts/build/deploy-disputes";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { onClient } from "@openledger/contracts/testing/chain";
import { hex32 } from "@openledger/foundation/hex";
import { testFolder, testServer } from "@openledger/foundation/testing/test-fixtures";
import { folderSource } from "@openledger/models/files/folder-source";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import { type TrainingSetting, textTraining } from "@openledger/models/registered/text-training";
import { AutoSettler } from "@openledger/models/settler/auto-settle";
import type { ShownOpening } from "@openledger/models/settling/model-openings";
import { proveSettlement } from "@openledger/models/settling/prove-settlement";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import {
  CAP,
  PRICE_WEI,
  type SettlingWorld,
  startSettlingWorld,
} from "@openledger/models/testing/settling-fixture";
import { byteConfig, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";
import { openProvingCircuit, readRollupCircuits } from "@openledger/verifier/circuits/rollup-circuits";
import type { Hex } from "viem";
import { afterAll, beforeAll, expect, it } from "vitest";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { runInProcess } from "../testing/run-in-process.ts";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
const BOND_WEI = 10n ** 17n;
const ALICE = anvilAccount(4);
const BOB = anvilAccount(5);
const SIZE = { rows: 8, features: 32, payees: 4, payments: CAP, draws: 2 };
const PROMPTS = ["The union?", "The navy?"];

const folder = testFolder("traced-epoch");
let world: SettlingWorld;
let setting: TrainingSetting;
let model: PublishedModel<TextParts>;
let modelId: number;
let modelFolder: string;
let game: Hex;
let traced: TracedTextModel;
let answering: AnsweringModel<Int16Array>;
const opened = new Map<bigint, ShownOpening>();
/** As the model's server keeps them. */
const kept = new Map<bigint, ClaimableAnswer>();

beforeAll(async () => {
  const base = join(folder, "base");
  await writeMadeModel(base, makeModel({ ...byteConfig, num_hidden_layers: 1 }, "text"));
  setting = { bases: [readFrom(folderSource(base))], kernels: "wasm", threadCount: 1 };
  const training = textTraining(textFamily(setting), setting);
  world = await startSettlingWorld(folder, undefined, SIZE, async (client) => {
    const clients = onClient(client).clientsOf((await client.getAddresses())[0]!);
    const money = { windowSeconds: BigInt(3 * DAY_SECONDS), leastBondWei: BOND_WEI };
    const games = { ...money, sideSeconds: BigInt(48 * HOUR_SECONDS), stakeWei: BOND_WEI / 5n };
    const terms = { ...money, availabilityChallengeFeeWei: 1n };
    const registry = await deployRegistry(clients, terms, { mostRows: 0, games });
    ({ game } = registry.games!);
    return registry.address;
  });
  process.env.OPENLEDGER_HOME = world.home;
  const made = await world.makeModel(
    async (rows, ledger) => {
      const recipe = textRecipeFor(rows, await describeBase(folderSource(base), "made"), {
        ...ledger,
        method: { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 16 },
      });
      const parts = await training.train(rows, recipe as never, {});
      return withTracing(parts, ALICE.address, setting, null) as never;
    },
    {
      contents: sampleTexts(SIZE.rows).map(encodeTextRow),
      beforeActivation: async (created) => {
        ({ modelId, modelFolder } = created);
        const words = ["disputes", "admit", game, modelFolder, "--cap", `${CAP}`];
        const registered = await command("alice", ...words);
        expect(registered.stdout).toContain("and it may have its activation");
      },
    },
  );
  model = made.model as never;
  traced = await openTracedText({ rollup: world.f.rollup.address, modelId: BigInt(modelId) }, model, setting);
  answering = (await textFamily(setting).open(model)) as never;
}, 900_000);
afterAll(() => world?.stop());

const endpoints = () => {
  const { f, sequencerUrl } = world;
  return ["--sequencer", sequencerUrl, "--rpc", f.rpcUrl, "--rollup", f.rollup.address];
};

/** What the model's server says of its answers. */
const openingsPage = () => ({
  openings: [...opened.values()].map(({ answerHash: hash, query, receipt, salt }, index) => ({
    ...{ index, payerId: 3, receipt: hex32(receipt), answerHash: hex32(hash), salt: hex32(salt) },
    queryBytes: Buffer.from(queryBytes(query as Int16Array)).toString("base64"),
  })),
  nextFrom: null,
});

/** `openledger` as one of the accounts, about the model. */
const command = (who: "alice" | "bob", ...words: string[]) =>
  runInProcess(
    ...words,
    ...["--model-id", String(modelId), "--base", join(folder, "base")],
    ...endpoints(),
    ...["--private-key-file", join(world.home, `${who}-key`)],
  );
const watch = (gate: Hex) =>
  runInProcess(
    ...["challenger", gate, "--model", modelFolder, "--base", join(folder, "base"), "--json"],
    ...endpoints(),
    ...["--private-key-file", join(world.home, "bob-key")],
  );
const read = (functionName: string, args: readonly unknown[]) =>
  world.f.l1.client.readContract({
    address: game,
    abi: traceGameAbi,
    functionName,
    args,
  } as never) as Promise<never>;

/** bob asks, and pays for what he was answered: with these traced numbers of a query, or the right ones. */
async function pay(prompt: string, salt: bigint, numbers?: Int16Array) {
  const { query: right, text } = answering.answer(prompt);
  const query = Int16Array.from(right, (entry, j) => numbers?.[j] ?? entry);
  const opening = { answerHash: answerHash(prompt, text), salt, query };
  const receipt = receiptHash({
    ...{ statics: model.staticsHash, payerId: 3, salt },
    ...{ answerHash: opening.answerHash, queryCommitment: queryCommitment(query) },
  });
  opened.set(receipt, { ...opening, receipt, index: opened.size, prompt: null });
  kept.set(receipt, {
    ...{ payerId: 3, prompt, answer: text, salt: hex32(salt) },
    queryBytes: Buffer.from(queryBytes(query)).toString("base64"),
  });
  await payInference(world.bob, { modelId, amountWei: PRICE_WEI, receipt });
  return { text, receipt };
}

function settler() {
  const { alice, deployment, f } = world;
  const rollup = f.rollup.address;
  const publicClient = f.l1.client as never;
  const l1 = {
    publicClient,
    send: async ({ data, to }: { data: Hex; to: Hex }) => {
      const hash = await f.l1.client.sendTransaction({
        account: ALICE.address,
        to,
        data,
        gas: 4_000_000n,
      } as never);
      const { gasUsed } = await f.l1.client.waitForTransactionReceipt({ hash });
      return { hash, gasUsed };
    },
  };
  const proofs = join(folder, "proofs");
  return async () =>
    new AutoSettler(
      { modelId, epochSeconds: 1, consentsToVoids: false, folder: proofs },
      {
        ...{ client: alice, signer: async () => alice, model, log: { info() {}, error() {} } },
        circuits: await readRollupCircuits({ rpcUrl: f.rpcUrl, rollupAddress: rollup, deployment }),
        openings: async () => opened,
        approve: drawApprover(
          async () => l1 as never,
          rollup,
          () => {},
        ),
        prove: async (prepared, circuit) =>
          proveSettlement(
            prepared,
            {
              circuitId: circuit.circuitId,
              proving: await openProvingCircuit(circuit, deployment, () => {}),
            },
            { backend: "wasm" },
          ),
      },
    );
}

const log = { info() {}, error() {} };
const claimingOptions = () => ({
  ...{ rpc: world.f.rpcUrl, rollup: world.f.rollup.address, sequencer: world.sequencerUrl },
  privateKeyFile: join(world.home, "alice-key"),
});

/** What `models serve --claim` runs, as a process that has just started. @param dies as it has sent its first claim */
async function claimer({ dies = false } = {}) {
  const { alice, f } = world;
  const sender = inOrder(await l1SenderOf(claimingOptions() as never), () => {});
  const report = new ClaimingReport(ALICE.address);
  let isDead = false;
  const challenger = await openChallenger(
    {
      ...{
        rpcUrl: f.rpcUrl,
        disputes: game,
        rollup: f.rollup.address,
        roles: new Set(["defend", "propose"]),
      },
      ...{
        places: { model: modelFolder, base: join(folder, "base") },
        folder: null,
        everyMs: 1_000,
        mostFeesWei: 0n,
      },
    },
    {
      sender: dies
        ? {
            ...sender,
            async send(call) {
              if (!isDead) await sender.send(call);
              isDead = true;
              throw new Error("killed");
            },
          }
        : sender,
      onProgress() {},
      proposing: {
        ...{ client: alice, log, report: () => report, modelIds: [modelId] },
        answerOf: async (_, receipt) => kept.get(receipt),
      },
    },
  );
  return {
    report,
    async turn() {
      const { failures } = await challenger.look();
      if (failures.length > 0) throw failures[0];
    },
  };
}

const claimCount = async () => {
  const { claims } = await new GameReader(world.f.l1.client as never, game).claims();
  return claims.length;
};

/** Turns of operator and owner until the epoch is in a stage that says what is waited for. */
async function turnsUntil(owner: AutoSettler, stage: string) {
  for (let i = 0; i < 30; i++) {
    await owner.turn();
    if (owner.report.view().stage === stage) return;
    await world.settle(1);
    if (owner.report.view().stage === "awaiting-randomness") {
      await world.mineRandomness();
      await world.settle(1);
    }
  }
  throw new Error(`never ${stage}: ${JSON.stringify(owner.report.view())}`);
}

async function settled(epoch: number) {
  await world.settle();
  const settlement = (await getSettlement(world.alice, modelId, epoch))!;
  expect(settlement.l1TransactionHash).toMatch(/^0x/);
  const { burnedWei, earnedSumWei, ownerWei, treasuryWei } = settlement;
  expect(earnedSumWei! + ownerWei! + treasuryWei! + burnedWei!).toBe(2n * PRICE_WEI);
  return settlement;
}

it("an epoch is settled by draws once its claims stand, and one with a false query by row counts", {
  timeout: 900_000,
}, async () => {
  const owner = await settler()();
  const stranger = await runInProcess(
    ...["models", "serve", modelFolder, "--model", String(modelId), "--claim", ...endpoints()],
    ...["--base", join(folder, "base"), "--private-key-file", join(world.home, "bob-key")],
  );
  expect(stranger.stderr).toContain("CMD_NOT_CLAIMANT");
  const early = claimsOf({
    ...{ rpcUrl: world.f.rpcUrl, base: join(folder, "base"), claimant: ALICE.address, log },
    ...{ modelIds: [modelId], places: { model: modelFolder }, folder: join(folder, "claiming") },
    openSender: sharedSender(() => l1SenderOf(claimingOptions() as never), log),
  });
  const running = early.start(world.alice, async (_, receipt) => kept.get(receipt));
  await expect
    .poll(() => early.reports.get(modelId)!.view(), { timeout: 20_000 })
    .toMatchObject({ stage: "nothing-drawn", draws: { unclaimed: 0 } });
  await running.stop();
  await pay(PROMPTS[0]!, 100n);
  await pay(PROMPTS[1]!, 101n);
  await world.settle();
  await world.passTime(2 * HOUR_SECONDS);
  await turnsUntil(owner, "awaiting-claims");
  // Without ether it says so. Killed between two claims, it goes on with the second, and claims nothing twice.
  const { client } = world.f.l1;
  const balanceWei = await client.getBalance({ address: ALICE.address });
  await client.setBalance({ address: ALICE.address, value: BOND_WEI / 2n });
  await expect((await claimer()).turn()).rejects.toMatchObject({
    code: "CMD_NO_ETHER",
    data: { account: ALICE.address, valueWei: BOND_WEI },
  });
  await client.setBalance({ address: ALICE.address, value: balanceWei });
  await expect((await claimer({ dies: true })).turn()).rejects.toThrow();
  expect(await claimCount()).toBe(1);
  const claiming = await claimer();
  for (let i = 0; i < 2; i++) {
    await claiming.turn();
    expect(claiming.report.view()).toMatchObject({ stage: "awaiting-windows", epoch: 1 });
    expect(await claimCount()).toBe(2);
  }
  // A right claim is no move to make, and an open one no approval.
  expect((await watch(game)).stdout).not.toContain("challenge");
  // The command says what is missing, draw by draw.
  const url = await testServer((_, response) => response.end(JSON.stringify(openingsPage())));
  const unapproved = await runInProcess(
    ...["models", "settle", String(modelId), "--folder", modelFolder, "--server", url],
    ...endpoints(),
    ...["--private-key-file", join(world.home, "alice-key")],
    ...["--circuits", ...world.deployment.circuits.slice(-2).map(({ name }) => name)],
  );
  expect(unapproved.stderr).toContain("claim 1 has its window, or a game, open; claim 2 has its window");
  await turnsUntil(owner, "awaiting-claims");
  // bob challenges what is right, and goes away.
  const data = await blindChallenge(client, game, 1n);
  const stakeWei = BOND_WEI / 5n;
  await client.sendTransaction({ account: BOB.address, to: game, data, value: stakeWei } as never);
  await claiming.turn();
  expect(claiming.report.view().openGames).toBe(1);
  await world.passTime(49 * HOUR_SECONDS);
  await claiming.turn();
  await world.passTime(2 * DAY_SECONDS);
  expect(await client.getBalance({ address: game })).toBe(2n * BOND_WEI + stakeWei);
  await claiming.turn();
  expect(claiming.report.view()).toMatchObject({ stage: "claimed", openGames: 0, draws: { stands: 2 } });
  expect(await client.getBalance({ address: game })).toBe(0n);
  await turnsUntil(owner, "posting");
  const byDraws = await settled(1);
  expect(byDraws.ownerWei).toBeGreaterThan(0n);

  // bob is the owner's friend: he pays for a query that is not the model's. The watcher is bob's account, for once.
  const text = traced.textOf(PROMPTS[0]!, answering.answer(PROMPTS[0]!).text);
  const program = traced.model.programs.of(text.tokens.length - 1);
  const lie = falseTrace(
    traced.model,
    { program, text },
    chainKernels("wasm", [program]),
    placeOf({ program }, "chain"),
  );
  const { receipt: _, text: answer } = await pay(PROMPTS[0]!, 102n, lie.query);
  await pay(PROMPTS[1]!, 103n);
  const { tracing } = model.recipe;
  const lying = claimReceiptCall(traced.model, tracedOf(traced, model.recipe, ALICE.address), lie, {
    ...{ payerId: 3, salt: 102n, prompt: PROMPTS[0]!, answer },
    lengths: traced.lengthsOf(PROMPTS[0]!),
  });
  expect(tracing!.claimant).toBe(ALICE.address.toLowerCase());
  await world.f.l1.client.sendTransaction({
    account: ALICE.address,
    to: game,
    data: lying,
    value: BOND_WEI,
    gas: 4_000_000n,
  } as never);
  expect((await watch(game)).stdout).toContain("challenge");
  // The owner is silent: his time runs out, and the watcher ends the game.
  await world.passTime(49 * HOUR_SECONDS);
  expect((await watch(game)).stdout).toContain("endByTime");
  expect(await read("owedWei", [BOB.address])).toBe(BOND_WEI / 2n + BOND_WEI / 5n);
  const paid = await runInProcess(
    ...["disputes", "withdraw", game, "--rpc", world.f.rpcUrl, "--rollup", world.f.rollup.address],
    ...["--private-key-file", join(world.home, "bob-key")],
  );
  expect(paid.stdout, paid.stderr).toContain("0.07 ETH are paid");
  await turnsUntil(owner, "awaiting-claims");
  // Nothing of such an epoch is approved: no other bond is spent on it.
  await claiming.turn();
  expect(claiming.report.view()).toMatchObject({
    stage: "refuted",
    epoch: 2,
    draws: { lost: 1, unclaimed: 1 },
  });
  expect(await claimCount()).toBe(3);
  await world.passTime(14 * DAY_SECONDS);
  await turnsUntil(owner, "posting");
  const byRows = await settled(2);
  // The owner's part is burned. Each row earned the same: alice has them all.
  expect(byRows.ownerWei).toBe(0n);
  expect(byRows.burnedWei).toBeGreaterThan(0n);
  expect((await getPayments(world.alice, modelId, 2)).payments).toHaveLength(2);
  expect((await getModel(world.alice, modelId)).closedEpoch).toBeNull();
});
