/** A model of two Datanets, from their versions' rows to its files and back. */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { unpackBinding } from "@openledger/circuits/ledger/leaf";
import { payeeShards } from "@openledger/circuits/ledger/payee-shards";
import { accruedSubroots, payeeRoot } from "@openledger/circuits/ledger/rewards";
import { MAX_PAYEE_COUNT } from "@openledger/circuits/protocol";
import { beforeAll, describe, expect, it } from "vitest";
import { datanetOf, recipeFor, sampleRows } from "../testing/sample-rows.ts";
import type { DirectParts } from "./direct/direct-family.ts";
import { parseDirectRecipe } from "./direct/direct-recipe.ts";
import { trainDirect } from "./direct/direct-training.ts";
import type { TrainedModel } from "./model-family.ts";
import { decodeModel, encodeModel, type PublishedModel, publishedModel } from "./model-files.ts";
import { joinVersions, type OwnedRow } from "./owned-rows.ts";
import { payeeTable } from "./payee-table.ts";
import { registerModel } from "./registration.ts";
import { checkRowsRoot } from "./rows-root.ts";
import { ownRoots, verifyModel } from "./verify-model.ts";

const SPLIT = { ownerParts: 16_384n, validatorParts: 13_107n };
const BUCKETS = 64;
const SIZE = { rows: 32, features: BUCKETS, payees: 8, draws: 4, isDirect: true, shards: 4 };
const code = (name: string) => expect.objectContaining({ code: name });

/** The same contents, of other people. */
const othersOf = (rows: readonly OwnedRow[]): OwnedRow[] =>
  rows.map((row) => ({ ...row, contributorId: row.contributorId + 10, validatorId: row.validatorId + 10 }));

let versions: OwnedRow[][];
let rows: readonly OwnedRow[];
let recipe: ReturnType<typeof recipeFor>;
let trained: TrainedModel<DirectParts>;
let model: PublishedModel<DirectParts>;

beforeAll(async () => {
  await initPoseidon();
  versions = [sampleRows("text", 20, "first"), othersOf(sampleRows("text", 16, "second"))];
  rows = joinVersions(versions);
  const [datanet, second] = versions.map(datanetOf) as [typeof recipe.datanet, typeof recipe.datanet];
  recipe = recipeFor(rows, BUCKETS, { datanet, furtherDatanets: [{ ...second, id: 9, version: 3 }] });
  trained = await trainDirect(rows, recipe);
  model = publishedModel(trained, registerModel(trained, { split: SPLIT }, SIZE), { publishRows: true });
});

const facts = () => ({ staticsHash: model.staticsHash, ...ownRoots(recipe) });

describe("a recipe of several Datanets", () => {
  it("is written between its Datanet and its inputs, and one of one Datanet as before", () => {
    expect(Object.keys(parseDirectRecipe(recipe)).slice(2, 5)).toEqual([
      "datanet",
      "furtherDatanets",
      "inputs",
    ]);
    const { furtherDatanets: _, ...single } = recipe;
    expect(Object.keys(parseDirectRecipe(single))).not.toContain("furtherDatanets");
  });

  it("names each Datanet once, six at most, and has no empty list", () => {
    const parse = (changed: object) => () => parseDirectRecipe({ ...recipe, ...changed });
    const named = (...ids: number[]) => ({ furtherDatanets: ids.map((id) => ({ ...recipe.datanet, id })) });
    expect(parse(named(9, 10, 11, 12, 13))).not.toThrow();
    expect(parse(named(9, 10, 11, 12, 13, 14))).toThrow(code("ATT_RECIPE_INVALID"));
    expect(parse(named())).toThrow(code("ATT_RECIPE_INVALID"));
    expect(parse(named(9, 10, 9))).toThrow("datanet 9 is named twice");
    expect(parse(named(recipe.datanet.id))).toThrow(code("ATT_RECIPE_INVALID"));
  });
});

describe("rows of several Datanets", () => {
  it("have their own payees, each Datanet's in a shard of its own", () => {
    const positions = payeeTable(rows);
    const [first, second] = versions.map((version) => payeeTable(version));
    expect(positions.slice(0, first!.length)).toEqual(first);
    expect(positions.slice(MAX_PAYEE_COUNT)).toEqual(second);
    const shards = payeeShards(positions.map(({ rowCount }) => rowCount));
    expect(shards.map(({ rowCount }) => rowCount)).toEqual([20, 16]);
    const many = Array.from({ length: 513 }, (_, i) => ({ contributorId: i, validatorId: 1, datanet: 1 }));
    expect(() => payeeTable([rows[0]!, ...many])).toThrow(code("ATT_BEYOND_CIRCUIT"));
  });

  it("are each version's own: none is missing, exchanged, in another's place or of no version", () => {
    const mismatch = (input: readonly (readonly OwnedRow[])[]) =>
      expect(() => checkRowsRoot(joinVersions(input), recipe)).toThrow(code("ATT_ROWS_MISMATCH"));
    const [first, second] = versions as [OwnedRow[], OwnedRow[]];
    expect(() => checkRowsRoot(rows, recipe)).not.toThrow();
    mismatch([first]);
    mismatch([second, first]);
    mismatch([first, second, second]);
    mismatch([first.slice(1), second]);
    mismatch([[...first, second[0]!], second.slice(1)]);
    expect(() => checkRowsRoot([...rows, { ...rows[0]!, datanet: 7 }], recipe)).toThrow(
      code("ATT_ROWS_MISMATCH"),
    );
    expect(() =>
      checkRowsRoot(
        rows.map(({ datanet: _, ...row }) => row),
        recipe,
      ),
    ).toThrow();
  });
});

describe("a registered model of several Datanets", () => {
  it("binds their ids and all rows, and has each one's payees as its Datanet has published them", () => {
    const { payees, statics } = model;
    expect(unpackBinding(statics.binding)).toMatchObject({
      datanetId: 4n,
      version: 1n,
      rowCount: 36n,
      furtherDatanets: [9],
    });
    const roots = versions.map((version) => payeeRoot(payeeTable(version)));
    const subroots = accruedSubroots(payees, []);
    for (const [s, version] of versions.entries())
      expect(accruedSubroots(payeeTable(version), [])[0], `${s}`).toBe(subroots[s]);
    expect(new Set([...roots, statics.payeeRoot]).size).toBe(3);
  });

  it("fits only circuits of shards with room for each Datanet", () => {
    const register = (changed: object) => () =>
      registerModel(trained, { split: SPLIT }, { ...SIZE, ...changed });
    expect(register({ rows: 19 })).toThrow(code("ATT_BEYOND_CIRCUIT"));
    expect(register({ payees: 2 })).toThrow(code("ATT_BEYOND_CIRCUIT"));
    expect(register({ shards: 1 })).toThrow(code("ATT_BEYOND_CIRCUIT"));
    expect(register({ shards: undefined, rows: 64, payees: 512 })).toThrow(code("ATT_BEYOND_CIRCUIT"));
  });

  it("is read from its files, and refused where they name other Datanets than its statics", () => {
    const read = decodeModel(encodeModel(model)) as PublishedModel<DirectParts>;
    expect(read.rows).toEqual(rows);
    expect(read.staticsHash).toBe(model.staticsHash);
    const { furtherDatanets: _, ...single } = recipe;
    const others = [{ ...recipe.furtherDatanets![0]!, id: 10 }];
    for (const changed of [single, { ...recipe, furtherDatanets: others }])
      expect(() => decodeModel(encodeModel({ ...model, recipe: changed }))).toThrow(
        code("ATT_MODEL_FILE_INVALID"),
      );
  });

  it("is verified by the roots of all of its versions, with the payees of each", async () => {
    const verify = (changed: object, of: Partial<typeof model> = {}) =>
      verifyModel({ model: { ...model, ...of }, facts: { ...facts(), ...changed }, depth: "train" });
    expect(await verify({})).toMatchObject({
      rowCount: 36,
      payeeCount: payeeTable(rows).filter(({ rowCount }) => rowCount > 0).length,
    });
    const differs = (what: string) => expect.objectContaining({ data: expect.objectContaining({ what }) });
    await expect(verify({ furtherRowsRoots: [1n] })).rejects.toThrow(differs("rowsRoot"));
    await expect(verify({ rowsRoot: 1n })).rejects.toThrow(differs("rowsRoot"));
    await expect(verify({ furtherRowsRoots: undefined })).rejects.toThrow(differs("datanets"));
    await expect(verify({ furtherRowsRoots: [...facts().furtherRowsRoots!, 1n] })).rejects.toThrow(
      differs("datanets"),
    );
    const swapped = model.payees.map((payee, i) =>
      i === MAX_PAYEE_COUNT ? { ...payee, validatorId: 7 } : payee,
    );
    await expect(verify({}, { payees: swapped })).rejects.toThrow(differs("payees"));
    await expect(verify({}, { rows: versions[0]! })).rejects.toThrow(code("ATT_ROWS_MISMATCH"));
  });
});
