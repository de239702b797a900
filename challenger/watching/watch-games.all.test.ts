/** What would keep a watcher of language models from one of them, or busy for ever: each was once so. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { Trained } from "@openledger/attribution/model/model-family";
import { publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { folderSource } from "@openledger/models/files/folder-source";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { textTraining } from "@openledger/models/registered/text-training";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";
import { runInProcess } from "@openledger/scripts/internal/commands/testing/run-in-process";
import { type Hex, toHex, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimReceiptCall, tracingDigest } from "../games/ledger-claims.ts";
import { type LedgerTracesFixture, MODEL_ID, startLedgerTraces } from "../games/testing/ledger-fixture.ts";
import { falseTrace, placeOf } from "../games/testing/played-games.ts";
import { BOND_WEI } from "../games/testing/trace-fixture.ts";
import { traceQuery, tracingKernels } from "../games/traced-model.ts";
import { tracedOf } from "../games/traced-recipe.ts";
import { openTracedText, type TracedTextModel } from "../games/traced-text.ts";
import { chainKernels } from "../trace/run-trace.ts";
import { GameWatch } from "./watch-games.ts";
import type { GameWatchSetting, ModelPlaces } from "./watch-setting.ts";

const COLUMNS = 20;
const SIZE = { rows: 8, features: 36, earners: 8, payments: 4, draws: 2 };
const OWNER = anvilAccount(1);
let folder: string;
let base: string;
let setting: TextSetting;
let f: LedgerTracesFixture;
let parts: Trained<TextParts>;
let traced: TracedTextModel;
let rollup: Hex;
let digest: Hex;

const promiseOf = (promised: Hex) => ({ claimant: OWNER.address.toLowerCase(), digest: promised });

const publishedWith = (changed: Partial<TextParts["recipe"]>) => {
  const made = { ...parts, recipe: { ...parts.recipe, ...changed } };
  const split = { ownerParts: 13_107n, validatorParts: 8_192n };
  return publishedModel(made, registerModel(made, { split }, SIZE), { publishRows: true });
};

/** Under this name, instead of what is there, with such a recipe. */
async function publish(name: string, changed: Partial<TextParts["recipe"]>): Promise<string> {
  const path = join(folder, name);
  await rm(path, { recursive: true, force: true });
  await writeModel(path, publishedWith(changed));
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "watch-games-"));
  base = join(folder, "base");
  process.env.OPENLEDGER_HOME = join(folder, "home");
  await writeMadeModel(base, makeModel({ ...byteConfig, num_hidden_layers: 1 }, "text"));
  const training = { bases: [readFrom(folderSource(base))], kernels: "wasm", threadCount: 1 } as const;
  setting = training;
  f = await startLedgerTraces();
  const rows = ownedTexts(sampleTexts(8));
  const method = { kind: "influence", scaling: "rms", ridge: 3, featureCount: 16 } as const;
  const recipe = textRecipeFor(rows, await describeBase(folderSource(base), "made"), { method });
  parts = await textTraining(textFamily(setting), training).train(rows, recipe, {});
  traced = await openTracedText({ rollup: zeroAddress, modelId: BigInt(MODEL_ID) }, parts, setting);
  const terms = tracedOf(traced, parts.recipe, OWNER.address);
  const describeAt = (at: Hex) => ({ ...traced.model, rollup: at });
  const ledgerOf = (of: typeof terms) => f.ledgerWith({ describe: describeAt, terms: () => of }, COLUMNS, 2);
  // A stranger's model, behind what calls itself a rollup.
  const others = await ledgerOf({ ...terms, mostTokens: 5 });
  await f.send(f.stranger, others.registration);
  const own = await ledgerOf(terms);
  rollup = own.rollup;
  for (const id of [MODEL_ID, MODEL_ID - 1]) await f.send(f.stranger, own.registrationOf(id));
  digest = tracingDigest(terms);
  await publish("right", { tracing: promiseOf(digest) });
});
afterAll(async () => {
  await f?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Looking = ModelPlaces & Partial<Pick<GameWatchSetting, "isRepeated" | "rollup">>;

/** A watcher that says what it does. */
function watchOf({ isRepeated = false, rollup = null, ...places }: Looking) {
  const said: string[] = [];
  const watch = new GameWatch(
    f.game,
    f.publicClient,
    { isRepeated, rollup, places: { base, ...places } },
    (line) => said.push(line),
  );
  const look = async () => (await watch.once()).models as Record<string, unknown>[];
  return {
    said,
    look,
    watch,
    rootsRead: () => said.filter((line) => line.startsWith("reading model")).length,
  };
}
const right = () => join(folder, "right");

describe("a watcher", () => {
  test("asks again for a model of which something else was served", async () => {
    const model = await publish("served", {});
    const { look, rootsRead } = watchOf({ rollup, model });
    const faults = async () => (await look()).slice(1).map(({ fault }) => String(fault).slice(0, 30));
    expect(await faults()).toEqual(Array(2).fill("what is served under its numbe"));
    await publish("served", { tracing: promiseOf(`0x${"22".repeat(32)}`) });
    expect(await faults()).toEqual(Array(2).fill("its registered roots are not t"));
    // Nobody's numbers were needed to say so.
    expect(rootsRead()).toBe(0);
    await publish("served", { tracing: promiseOf(digest) });
    expect(await faults()).toEqual(["undefined", "undefined"]);
  });

  test("who looks once traces all claims, and who looks again four a look", async () => {
    const prompt = "The union?";
    const { text: answer } = (await textFamily(setting).open(parts)).answer(prompt);
    const model = { ...traced.model, rollup };
    const query = traceQuery(model, traced.textOf(prompt, answer), tracingKernels("wasm", model));
    const terms = tracedOf(traced, parts.recipe, OWNER.address);
    const lengths = traced.lengthsOf(prompt);
    for (let salt = 1n; salt <= 5n; salt++) {
      const receipt = { payerId: 7, salt, prompt, answer, lengths };
      await f.send(f.owner, claimReceiptCall(model, terms, query, receipt), BOND_WEI);
    }
    const waiting = async (options: Looking) =>
      (await watchOf({ rollup, model: right(), ...options }).look())[1];
    expect(await waiting({})).toMatchObject({ waiting: [], failures: [], moves: [], warnings: [] });
    const often = watchOf({ rollup, model: right(), isRepeated: true });
    expect((await often.look())[1]).toMatchObject({ waiting: [5n], failures: [] });
    // Between two postings: what is left is traced, and only what is new is told.
    expect(await often.watch.again()).toEqual({ lines: [], models: [] });
    const lie = falseTrace(model, query, chainKernels("wasm", [query.program]), placeOf(query, "chain"));
    const receipt = { payerId: 7, salt: 6n, prompt, answer, lengths };
    await f.send(f.owner, claimReceiptCall(model, terms, lie, receipt), BOND_WEI);
    const failures = [{ claimId: 6n, reason: expect.stringContaining("nobody signs") }];
    const again = await often.watch.again();
    expect(again.models).toMatchObject([{ modelId: BigInt(MODEL_ID), failures }]);
  });

  test("challenges nothing beside what its account has on its way already", async () => {
    const prompt = "The union?";
    const { text: answer } = (await textFamily(setting).open(parts)).answer(prompt);
    const model = { ...traced.model, rollup };
    const kernels = tracingKernels("wasm", model);
    const honest = traceQuery(model, traced.textOf(prompt, answer), kernels);
    const lie = falseTrace(model, honest, kernels, placeOf(honest, "quantise"));
    const terms = tracedOf(traced, parts.recipe, OWNER.address);
    const receipt = { payerId: 8, salt: 1n, prompt, answer, lengths: traced.lengthsOf(prompt) };
    await f.send(f.owner, claimReceiptCall(model, terms, lie, receipt), BOND_WEI);
    const watcher = anvilAccount(2);
    const privateKeyFile = join(folder, "watcher");
    await writeFile(privateKeyFile, toHex(watcher.getHdKey().privateKey!));
    const words = ["--base", base, "--rpc", f.url, "--rollup", rollup, "--private-key-file", privateKeyFile];
    const known = () => f.client.getTransactionCount({ address: watcher.address, blockTag: "pending" });
    const nonce = await known();
    await f.client.setAutomine(false);
    try {
      // As a look before this one may have left it.
      const serializedTransaction = await watcher.signTransaction({
        ...{ type: "eip1559", chainId: await f.client.getChainId(), nonce, gas: 21_000n },
        ...{ to: OWNER.address, value: 1n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n },
      });
      await f.client.sendRawTransaction({ serializedTransaction });
      const looked = await runInProcess("watch", f.game, "--model", right(), ...words);
      expect(looked.stdout).toContain(`L1 has not mined 1 transactions of ${watcher.address}`);
      const played = await runInProcess(
        ...["disputes", "play", f.game, right(), "--model-id", `${MODEL_ID}`],
        ...words,
      );
      expect(played.stdout).toContain(`L1 has not mined 1 transactions of ${watcher.address}`);
      expect(await known()).toBe(nonce + 1);
    } finally {
      await f.client.setAutomine(true);
      await f.client.mine({ blocks: 1 });
    }
  });
});
