import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { directShape } from "@openledger/circuits/ledger/direct-query";
import { hashStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { commitDirectColumns } from "@openledger/circuits/settlement/scores/direct-matrix";
import { shardedFeatures } from "@openledger/circuits/settlement/shards/shard-link";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Progress } from "../progress.ts";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import type { DirectParts } from "./direct/direct-family.ts";
import { trainDirect } from "./direct/direct-training.ts";
import { readModel, readModelFiles, writeModel } from "./model-directory.ts";
import type { TrainedModel } from "./model-family.ts";
import { FIGURE_FILE } from "./model-figure.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "./model-files.ts";
import { decodeManifest, MANIFEST } from "./model-manifest.ts";
import type { OwnedRow } from "./owned-rows.ts";
import { decodeLine, encodeLine } from "./published-rows.ts";
import { directMatrix, registerModel } from "./registration.ts";
import { modelDifference, verifyModel } from "./verify-model.ts";

const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const BUCKETS = 64;
const SIZE = { rows: 64, features: BUCKETS, payees: 16, draws: 4, isDirect: true };
const code = (name: string) => expect.objectContaining({ code: name });
const differs = (what: string) =>
  expect.objectContaining({ code: "ATT_MODEL_MISMATCH", data: expect.objectContaining({ what }) });

let rows: OwnedRow[];
let trained: TrainedModel<DirectParts>;
let model: PublishedModel<DirectParts>;
let folder: string;

beforeAll(async () => {
  await initPoseidon();
  rows = sampleRows("text", 32);
  trained = await trainDirect(rows, recipeFor(rows, BUCKETS));
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), { publishRows: true });
  folder = await mkdtemp(join(tmpdir(), "model-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("registerModel", () => {
  it("commits to features, payees, version and split as docs/reference/settlement.md defines them", () => {
    const { statics, columns, answeringHash, staticsHash, payees } = model;
    expect(statics.featuresCommitment).toBe(
      shardedFeatures([commitDirectColumns(directMatrix(model.features))], answeringHash, SIZE),
    );
    expect(unpackBinding(statics.binding)).toEqual({
      datanetId: 4n,
      version: 1n,
      rowCount: 32n,
      predecessorId: 0n,
      drawBits: 2n,
      featureCount: BigInt(directShape(BUCKETS)),
      furtherDatanets: [],
    });
    expect(statics.split).toBe(16_384n | (13_107n << 16n));
    expect(staticsHash).toBe(hashStatics(statics));
    expect(columns[0]!.u).toHaveLength(BUCKETS + 1);
    expect(payees.reduce((sum, payee) => sum + payee.rowCount, 0)).toBe(32);
  });

  it("tells its progress", () => {
    const seen: Progress[] = [];
    registerModel(trained, { split: SPLIT }, SIZE, { onProgress: (progress) => seen.push(progress) });
    // All rows of so few columns at once, and the logit's.
    expect(seen).toEqual([{ stage: "commit", done: 33, total: 33 }]);
  });

  it.each([
    ["rows", { rows: 31 }],
    ["payees", { payees: 2 }],
    ["columns", { features: 32 }],
    ["kind", { isDirect: false }],
  ])("refuses a circuit that does not fit in its %s", (what, changed) => {
    expect(() => registerModel(trained, { split: SPLIT }, { ...SIZE, ...changed })).toThrow(
      expect.objectContaining({ code: "ATT_BEYOND_CIRCUIT", data: expect.objectContaining({ what }) }),
    );
  });

  it("refuses a number of draws that no circuit has", () => {
    for (const draws of [0, 3, 256])
      expect(() => registerModel(trained, { split: SPLIT }, { ...SIZE, draws })).toThrow(
        code("CIR_SETTLEMENT_SIZE"),
      );
  });

  it("refuses a split that leaves the treasury too little", () => {
    for (const split of [
      { ownerParts: 62_260n, validatorParts: 0n },
      { ownerParts: 0n, validatorParts: 65_536n },
      { ownerParts: -1n, validatorParts: 0n },
    ]) {
      expect(() => registerModel(trained, { split }, SIZE)).toThrow(code("ATT_RECIPE_INVALID"));
    }
    const max = { ownerParts: 62_259n, validatorParts: 65_535n };
    expect(() => registerModel(trained, { split: max }, SIZE)).not.toThrow();
  });
});

describe("model files", () => {
  it("come back from a folder as they were written, once", async () => {
    const path = join(folder, "spam");
    await writeModel(path, model);
    expect(await readModel(path)).toEqual(model);
    await expect(writeModel(path, model)).rejects.toMatchObject({ code: "ATT_MODEL_EXISTS" });
  });

  it("are read by a process that has hashed nothing yet", async () => {
    const path = join(folder, "first");
    await writeModel(path, model);
    vi.resetModules();
    const fresh = await import("./model-directory.ts");
    expect((await fresh.readModel(path)).staticsHash).toBe(model.staticsHash);
  });

  it("write a row's bytes as text or in base64, whichever is shorter, and read them back", () => {
    for (const content of ["two\nlines", "\ufeffmark", "\u0001".repeat(20), "é😀"].map((text) =>
      Buffer.from(text),
    ))
      for (const label of ['a "b"', null, undefined]) {
        const row = { content: new Uint8Array(content), ...(label === undefined ? {} : { label }) };
        expect(decodeLine(encodeLine(row))).toEqual(row);
      }
    expect(Buffer.from(encodeLine({ content: Buffer.from("a\nb"), label: "ham" })).toString()).toBe(
      '{"text":"a\\nb","label":"ham"}',
    );
    expect(Buffer.from(encodeLine({ content: Uint8Array.of(255, 1) })).toString()).toBe('{"base64":"/wE="}');
    for (const line of ["", "[]", '{"text":1}', '{"base64":"!"}', '{"text":"a","more":1}'])
      expect(decodeLine(Buffer.from(line)), line).toBe(null);
  });

  it("may leave out the rows", () => {
    const without = { ...model, rows: null };
    expect(decodeModel(encodeModel(without))).toEqual(without);
  });

  it("are refused where one is absent, cut off or changed, naming it", async () => {
    const path = join(folder, "changed");
    await writeModel(path, model);
    const files = await readModelFiles(path);
    for (const name of files.keys()) {
      const broken = (change: (bytes: Uint8Array) => Uint8Array | undefined) => () => {
        const changed = new Map(files);
        const bytes = change(files.get(name)!.slice());
        if (bytes === undefined) changed.delete(name);
        else changed.set(name, bytes);
        return decodeModel(changed);
      };
      const names = expect.objectContaining({
        code: "ATT_MODEL_FILE_INVALID",
        data: expect.objectContaining({ file: name }),
      });
      expect(broken((bytes) => bytes)).not.toThrow();
      const absent = broken(() => undefined);
      // It is in no manifest: models of earlier releases have none.
      if (name === FIGURE_FILE) expect(absent().figure).toBeNull();
      else expect(absent, name).toThrow(names);
      // A direct model's map is empty.
      if (name === MANIFEST || files.get(name)!.length === 0) continue;
      expect(
        broken((bytes) => bytes.subarray(1)),
        name,
      ).toThrow(names);
      expect(
        broken((bytes) => {
          bytes[0] = bytes[0]! ^ 1;
          return bytes;
        }),
        name,
      ).toThrow(names);
    }
    await rm(join(path, "payees.json"));
    await expect(readModel(path)).rejects.toMatchObject({ data: { file: "payees.json" } });
    await writeFile(join(path, "payees.json"), "[]");
    await expect(readModel(path)).rejects.toMatchObject({ data: { file: "payees.json" } });
  });

  /** The files after a change by somebody who also makes the manifest's hashes fit. */
  function forged(name: string, change: (bytes: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
    const files = encodeModel(model);
    const bytes = change(files.get(name)!.slice());
    files.set(name, bytes);
    const manifest = decodeManifest(files);
    manifest.files[name] = { sizeBytes: bytes.length, sha256: bytesToHex(sha256(bytes)) };
    return files.set(MANIFEST, Buffer.from(JSON.stringify(manifest)));
  }
  const text = (change: (content: string) => string) => (bytes: Uint8Array) =>
    Buffer.from(change(Buffer.from(bytes).toString("utf8")));

  it("are refused where they do not fit the statics, though the manifest names them", () => {
    const cases: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
      ["columns.bin", (bytes) => bytes.fill(1, 63, 64), "ATT_MODEL_FILE_INVALID"],
      [
        "payees.json",
        text((json) => json.replace('"validatorId": 8', '"validatorId": 7')),
        "ATT_MODEL_FILE_INVALID",
      ],
      ["payees.json", text((json) => JSON.stringify(JSON.parse(json).reverse())), "ATT_MODEL_FILE_INVALID"],
      ["recipe.json", text((json) => json.replace('"id": 4', '"id": 5')), "ATT_MODEL_FILE_INVALID"],
      [
        "recipe.json",
        text((json) => json.replace('"columnCount": 65', '"columnCount": 66')),
        "ATT_RECIPE_INVALID",
      ],
      ["features.bin", (bytes) => bytes.fill(127, 4, 6), "ATT_MODEL_FILE_INVALID"],
      [
        "rows.jsonl",
        text((lines) => lines.replace('"label":"ham"', '"label":"spam"')),
        "ATT_LABELS_MISMATCH",
      ],
      ["rows.jsonl", text((lines) => lines.replaceAll(/,"label":"[a-z]+"/g, "")), "ATT_LABELS_MISMATCH"],
      ["rows.jsonl", text((lines) => lines.replace('{"text":"', '{"text":"x')), "ATT_ROWS_MISMATCH"],
      ["rows.jsonl", text((lines) => lines.replace('"label"', '"labels"')), "ATT_MODEL_FILE_INVALID"],
      ["rows.jsonl", text((lines) => lines.slice(0, -1)), "ATT_MODEL_FILE_INVALID"],
    ];
    for (const [name, change, expected] of cases) {
      expect(() => decodeModel(forged(name, change)), name).toThrow(code(expected));
    }
  });
});

describe("verifyModel", () => {
  const facts = () => ({ staticsHash: model.staticsHash, rowsRoot: BigInt(model.recipe.datanet.rowsRoot) });

  it("accepts an honest model, from its own rows and from a store's", async () => {
    const compared = { isBaseOfCard: false, areLabelsOfRecords: false };
    const found = { rowCount: 32, payeeCount: model.payees.length, ...compared };
    expect(await verifyModel({ model, facts: facts(), depth: "train" })).toEqual({
      ...found,
      accuracy: trained.accuracy,
      areInputsOfRows: true,
      figure: model.figure,
    });
    expect(
      await verifyModel({ model: { ...model, rows: null }, rows, facts: facts(), depth: "features" }),
    ).toEqual({
      ...found,
      accuracy: null,
      areInputsOfRows: null,
      figure: null,
    });
  });

  it("compares the labels that the recipe names with those of signed records", async () => {
    const root = BigInt(model.recipe.datanet.labels!);
    const verify = (labelsRoots: bigint[]) =>
      verifyModel({ model, facts: facts(), depth: "features", labelsRoots });
    expect(await verify([root])).toMatchObject({ areLabelsOfRecords: true });
    await expect(verify([root + 1n])).rejects.toThrow(differs("labels"));
    const relabelled = rows.map((row, i) => (i === 3 ? { ...row, label: null } : row));
    await expect(verifyModel({ model, rows: relabelled, facts: facts(), depth: "features" })).rejects.toThrow(
      code("ATT_LABELS_MISMATCH"),
    );
  });

  it("names the first difference to the ledger, the rows and the training", async () => {
    const verify = (changed: Partial<typeof model>, depth: "train" | "features" = "train") => {
      return expect(verifyModel({ model: { ...model, ...changed }, facts: facts(), depth })).rejects;
    };
    const one = (values: Float64Array) => values.map((x, k) => (k === 3 ? x + 1e-9 : x));
    await verify({ staticsHash: 1n }).toThrow(differs("statics"));
    await expect(
      verifyModel({ model, facts: { ...facts(), rowsRoot: 1n }, depth: "features" }),
    ).rejects.toThrow(differs("rowsRoot"));
    await verify({ parameters: one(model.parameters) }).toThrow(differs("parameters"));
    const values = model.features.values.slice();
    const at = BUCKETS + 1 + 5;
    values[at] = values[at]! + (values[at]! > 0 ? -1 : 1);
    for (const depth of ["train", "features"] as const) {
      await verify({ features: { ...model.features, values } }, depth).toThrow(
        expect.objectContaining({ data: expect.objectContaining({ what: "features", row: 1, column: 5 }) }),
      );
    }
    const columns = model.columns.map(({ u, v }) => ({ u: u.map((x, j) => (j === 2 ? x + 1n : x)), v }));
    await verify({ columns }, "features").toThrow(differs("columns"));
    await verify({ rows: null }).toThrow(code("ATT_ROWS_MISMATCH"));
    await verify({ rows: rows.toReversed() }).toThrow(code("ATT_ROWS_MISMATCH"));
  });

  it("says in which file and row a model differs, and nothing where the server has another model", async () => {
    const differenceOf = async (changed: Partial<typeof model>) =>
      modelDifference(
        await verifyModel({ model: { ...model, ...changed }, facts: facts(), depth: "features" }).catch(
          (error: unknown) => error,
        ),
      );
    const values = model.features.values.slice();
    const at = 2 * (BUCKETS + 1);
    values[at] = values[at]! + (values[at]! > 0 ? -1 : 1);
    expect(await differenceOf({ features: { ...model.features, values } })).toEqual({
      file: "features.bin",
      row: 2,
    });
    const columns = model.columns.map(({ u, v }) => ({ u: u.map((x, j) => (j === 2 ? x + 1n : x)), v }));
    expect(await differenceOf({ columns })).toEqual({ file: "columns.bin", row: expect.any(Number) });
    expect(await differenceOf({ payees: [] })).toMatchObject({ file: "payees.json", row: null });
    expect(await differenceOf({ staticsHash: 1n })).toBe(null);
    expect(await differenceOf({ rows: null })).toBe(null);
    expect(await differenceOf({})).toBe(null);
  });
});
