/** A model's half of a report of bias: errors on unseen rows, pay by contributor, rows that move answers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { directTraining, trainDirect } from "@openledger/attribution/model/direct/direct-training";
import { estimateAttribution } from "@openledger/attribution/scores/attribution-estimate";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { createLedgerFixture, type LedgerFixture } from "@openledger/client/testing/ledger-fixture";
import type { JudgedRows } from "@openledger/datanets/report/make-report";
import { sha256Hex } from "@openledger/datanets/rows/row-digest";
import { hex32 } from "@openledger/foundation/hex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wantedOf } from "../engine/architecture/loss-gradient.ts";
import { folderSource } from "../engine/files/folder-source.ts";
import { type AnsweredModel, modelLeaf, publishDirectModel } from "../testing/answered-world.ts";
import { makeModel, writeMadeModel } from "../testing/made-models.ts";
import { byteConfig, ownedTexts, sampleTexts, textRecipeFor } from "../testing/text-rows.ts";
import { describeBase, readFrom } from "../tuning/recipe/base-files.ts";
import { textFamily } from "../tuning/recipe/text-family.ts";
import {
  decodeAll,
  heldOutRows,
  type TrainingSetting,
  textTraining,
  withRows,
} from "../tuning/recipe/text-training.ts";
import { modelFigures } from "./model-figures.ts";

const MODEL_ID = 13;
let fixture: LedgerFixture;
let published: AnsweredModel;

/** Payees as the sequencer shows them, with what they earned in each settled epoch. */
function showLedger(earnedWei: readonly (readonly bigint[])[], { closed = false } = {}): void {
  const { answers } = fixture.sequencer;
  const leaf = modelLeaf(published.model, MODEL_ID, { epoch: earnedWei.length + (closed ? 2 : 1) });
  const none = { earnedWei: "0", claimedWei: "0", claimableWei: "0" };
  const payees = published.model.payees.map((payee, index) => ({
    ...payee,
    index,
    accruedWei: String(earnedWei.reduce((sum, epoch) => sum + epoch[index]!, 0n)),
    contributor: none,
    validator: none,
  }));
  const facts = { closingBatch: 1, amountWei: "1", chain: hex32(1n), closed: hex32(1n) };
  const nulls = Object.fromEntries(
    [
      "closedAtBlock",
      "closedAtSeconds",
      "randomnessBlock",
      "prevRandao",
      "seed",
      "anyoneSettlesFromSeconds",
      "defaultSplitFromSeconds",
    ].map((name) => [name, null]),
  );
  const closedEpoch = closed
    ? { epoch: earnedWei.length + 1, ...facts, ...nulls, isRandomnessMissed: false }
    : null;
  answers.set(`GET /v1/models/${MODEL_ID}`, { ...leaf, payees, closedEpoch });
  const settlements = earnedWei.map((epoch, i) => ({
    modelId: MODEL_ID,
    epoch: i + 1,
    kind: "settle",
    settlementHash: hex32(1n),
    status: "final",
    batchNumber: 1,
    l1TransactionHash: null,
    circuit: "x",
    data: "0x",
    publicSignals: [hex32(1n), hex32(1n), hex32(1n)],
    proof: {
      a: ["1", "2"],
      b: [
        ["1", "2"],
        ["3", "4"],
      ],
      c: ["1", "2"],
    },
    earnedWei: epoch.map(String),
  }));
  answers.set(`GET /v1/settlements?model=${MODEL_ID}&limit=200`, settlements.toReversed());
}

const figures = (more: object = {}) =>
  modelFigures(
    fixture.client,
    { modelId: MODEL_ID, datanetId: 4, model: published.model, rows: published.model.rows! },
    { trainings: [directTraining], ...more },
  );

beforeAll(async () => {
  [fixture, published] = await Promise.all([createLedgerFixture(), publishDirectModel()]);
});
afterAll(async () => {
  await fixture?.close();
  await published?.remove();
});

describe("a classifier's figures", () => {
  it("count the errors on rows that it has not learned from, row by row", async () => {
    showLedger([]);
    const { error, pay, root } = await figures();
    const { values } = error as JudgedRows;
    const { heldOut } = await trainDirect(published.model.rows!, published.model.recipe as never);
    const wrongCount = [...values.values()].reduce((sum, value) => sum + value, 0);
    expect(values.size).toBe(heldOut!.rowCount);
    expect(wrongCount / values.size).toBeCloseTo(1 - heldOut!.accuracy, 12);
    expect(wrongCount).toBeGreaterThan(0);
    const digests = new Set(published.model.rows!.map(({ content }) => sha256Hex(content)));
    expect([...values.keys()].every((digest) => digests.has(digest))).toBe(true);
    expect(root).toBe(published.model.staticsHash);
    expect(pay).toEqual({ why: "no epoch is settled yet" });
  });

  it("name the rows that are among the ten first of most answers to other rows", async () => {
    const { movers } = await figures();
    const rows = published.model.rows!;
    const counts = new Map<string, number>();
    for (const [own, { content }] of rows.entries()) {
      const { query } = published.checkable.answer(new TextDecoder().decode(content));
      const { topRows } = estimateAttribution(published.model, query, { topCount: rows.length });
      for (const { row } of topRows.filter(({ row, score }) => row !== own && score > 0).slice(0, 10)) {
        const digest = sha256Hex(rows[row]!.content);
        counts.set(digest, (counts.get(digest) ?? 0) + 1);
      }
    }
    const ordered = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 10);
    expect(movers).toMatchObject({
      answerCount: rows.length,
      rows: ordered.map(([digest, answerCount]) => ({ digest, answerCount })),
    });
  });

  it("share what the settled epochs paid, and the same again after a later one", async () => {
    const { payees } = published.model;
    const first = payees.map((_, i) => BigInt(i) * 1_000_000n);
    const second = payees.map(() => 5_000_000n);
    // An epoch that is closed and waits for its settlement has paid nobody.
    showLedger([first], { closed: true });
    const { pay: before } = await figures();
    showLedger([first, second]);
    const { pay: after } = await figures();
    const { pay: again } = await figures({ throughEpoch: 1 });
    expect(again).toEqual(before);
    expect(after).toMatchObject({ throughEpoch: 2 });
    const validatorParts = 13_107n;
    const earned = new Map<number, bigint>();
    for (const [i, { contributorId }] of payees.entries()) {
      const wei = first[i]! - ((first[i]! * validatorParts) >> 16n);
      earned.set(contributorId, (earned.get(contributorId) ?? 0n) + wei);
    }
    const { contributors, giniPpm, lorenz, rest, totalWei } = before as Extract<
      typeof before,
      { giniPpm: number }
    >;
    expect(new Map(contributors.map(({ earnedWei, leafId }) => [leafId, BigInt(earnedWei)]))).toEqual(earned);
    const amounts = [...earned.values()].map(Number).sort((a, b) => a - b);
    const total = amounts.reduce((sum, x) => sum + x, 0);
    expect(Number(totalWei)).toBe(total);
    const differences = amounts.flatMap((a) => amounts.map((b) => Math.abs(a - b)));
    const gini = differences.reduce((sum, x) => sum + x, 0) / (2 * amounts.length * total);
    expect(giniPpm).toBe(Math.round(1e6 * gini));
    expect(lorenz[1]).toEqual({ people: 1, ppm: Math.round((1e6 * amounts[0]!) / total) });
    expect(rest).toBeNull();
    expect((await figures({ throughEpoch: 3 })).pay).toEqual({ why: expect.stringContaining("epoch 3") });
  });

  it("are refused for another Datanet, and for files of another model", async () => {
    const other = { modelId: MODEL_ID, datanetId: 5, model: published.model, rows: published.model.rows! };
    const options = { trainings: [directTraining] };
    await expect(modelFigures(fixture.client, other, options)).rejects.toMatchObject({
      code: "MOD_INPUT_INVALID",
    });
    const changed = { ...published.model, staticsHash: 1n };
    await expect(
      modelFigures(fixture.client, { ...other, datanetId: 4, model: changed }, options),
    ).rejects.toMatchObject({ code: "MOD_INPUT_INVALID" });
  });
});

describe("a language model's errors", () => {
  it("are the losses of the rows that its recipe holds out, and none without such rows", async () => {
    await initPoseidon();
    const folder = await mkdtemp(join(tmpdir(), "openledger-report-"));
    await writeMadeModel(folder, makeModel(byteConfig, "text"));
    const setting: TrainingSetting = {
      bases: [readFrom(folderSource(folder))],
      kernels: "wasm",
      threadCount: 1,
    };
    const training = textTraining(textFamily(setting), setting);
    const rows = ownedTexts(sampleTexts(12));
    const plain = textRecipeFor(rows, await describeBase(folderSource(folder), "made"));
    const trained = await training.train(rows, { ...plain, heldOut: 4 }, {});
    const { kind, values } = await training.unseen(trained, rows, {});
    expect(kind).toBe("losses");
    expect([...values.keys()]).toEqual(heldOutRows(rows.length, trained.recipe));
    const tokenCounts = await withRows(
      trained.recipe,
      setting,
      { adapter: trained.adapter, rows: decodeAll(rows) },
      async (_placed, _team, tokens) => tokens.map(wantedOf),
    );
    const sum = (value: (row: number) => number) =>
      [...values.keys()].reduce((all, row) => all + value(row), 0);
    const mean = sum((row) => values.get(row)! * tokenCounts[row]!) / sum((row) => tokenCounts[row]!);
    expect(mean).toBeCloseTo(training.lossesOf(trained).heldOut!.after.natsPerToken, 9);
    expect((await training.unseen(trained, rows, {})).values).toEqual(values);
    const all = { ...trained, recipe: { ...trained.recipe, heldOut: 0 } };
    expect((await training.unseen(all, rows, {})).values.size).toBe(0);
    await rm(folder, { recursive: true });
  });
});
