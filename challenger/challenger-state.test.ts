import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { encodeModel, type PublishedModel } from "@openledger/attribution/model/model-files";
import { LEAF_FILE, MANIFEST } from "@openledger/attribution/model/model-manifest";
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import { started, testFolder, testServer } from "@openledger/foundation/testing/test-fixtures";
import { beforeAll, expect, test } from "vitest";
import { ChallengerState, type Verdict } from "./challenger-state.ts";
import { directCase } from "./model-commitments/testing/direct-case.ts";
import { judgedFiles, publishedFiles } from "./playing/published-files.ts";
import { mostLeafFileBytes } from "./statements/known-leaves.ts";
import { encodeLeaves } from "./statements/leaf-file.ts";

const folder = testFolder("challenger-state");
const made = started(() => directCase(24));
beforeAll(() => writeModel(join(folder, "model"), made.model));

const statePath = () => join(folder, "state.json");
const opened = async (damage: string[] = []) =>
  ChallengerState.open(statePath(), "registry account", (why) => void damage.push(why));
const kept = (verdict: Omit<Verdict, "isRight" | "warnings">): Verdict => ({
  ...verdict,
  isRight: true,
  warnings: [],
});

test("a model that was trained again is not trained by the next process; other statements and files are", async () => {
  const { statement } = made.honest;
  const place = { folder: join(folder, "model") };
  const look = async (id: bigint, of = statement) => {
    const state = await opened();
    const known = state.verdictOf({ id, statement: of });
    const files = await publishedFiles({ family: "direct", statement: of }, place, undefined, known);
    const { mismatch, verdict } = (await files!.train?.()) ?? files!;
    await state.keepVerdict(id, kept(verdict!));
    return { mismatch, isNew: known === null, count: verdict!.count };
  };
  const hostile = { ...statement, rowsRoot: 5n };
  const first = await look(1n, hostile);
  expect(first).toMatchObject({ isNew: true, count: 1, mismatch: expect.stringContaining("rowsRoot") });
  expect(await look(1n, hostile)).toEqual({ ...first, isNew: false });
  expect(await look(1n, { ...hostile, rowsRoot: 6n })).toMatchObject({ isNew: true });
  expect(await look(2n)).toMatchObject({ isNew: true, mismatch: null });
  expect(await look(2n)).toMatchObject({ isNew: false, mismatch: null, count: 1 });
});

test("a fee that could not be written down, and so is not paid, is not counted", async () => {
  const path = join(folder, "unwritable");
  const state = await ChallengerState.open(path, "registry account", () => {});
  await mkdir(path);
  await expect(state.spend(1n, 10n)).rejects.toThrow();
  expect(state.spentWei(1n)).toBe(0n);
  await rmdir(path);
  await state.spend(1n, 10n);
  expect(state.spentWei(1n)).toBe(10n);
});

test("a server's files are taken with the leaves that their statement has room for, and no more", async () => {
  const { leaves, statement } = made.honest;
  const files = encodeModel(made.model);
  let leafFile: Uint8Array = encodeLeaves(leaves);
  const url = await testServer(({ url }, response) => {
    const name = url!.split("/").at(-1)!;
    response.setHeader("content-encoding", "gzip");
    response.end(gzipSync((name === LEAF_FILE ? leafFile : files.get(name))!));
  });
  const look = () => publishedFiles({ family: "direct", statement }, { url }, undefined, null);
  const code = (name: string) => expect.objectContaining({ code: name });
  expect((await look())!.leaves).toEqual(leafFile);
  leafFile = new Uint8Array(mostLeafFileBytes(statement, "direct") + 1);
  await expect(look()).rejects.toThrow(code("ATT_SERVER_UNREACHABLE"));
  const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST)));
  const more = JSON.stringify({ ...manifest, rowCount: MOST_CHALLENGED_ROWS + 1 });
  files.set(MANIFEST, new TextEncoder().encode(more));
  await expect(look()).rejects.toThrow(code("ATT_MODEL_FILE_INVALID"));
});

test("other files are trained again, a few times", async () => {
  let asked = 0;
  let known: Verdict | null = null;
  const { statement } = made.honest;
  const look = async (scale: number) => {
    const features = { ...made.model.features, scale };
    const model = { ...made.model, features } as PublishedModel;
    const files = judgedFiles(known, statement, { model, leaves: null }, async () => {
      throw attributionError("ATT_MODEL_MISMATCH", `look ${++asked}`);
    });
    const { mismatch, verdict } = (await files.train?.()) ?? files;
    known = verdict ? kept(verdict) : null;
    return mismatch;
  };
  expect([await look(1), await look(1), await look(2)]).toEqual(["look 1", "look 1", "look 2"]);
  for (let scale = 3; scale < 20; scale++) await look(scale);
  expect(asked).toBe(4);
});

test("a watcher's own failure is no judgement of the model: the next look tries again", async () => {
  const { statement } = made.honest;
  const look = (failure: Error | null) =>
    judgedFiles(null, statement, { model: made.model, leaves: null }, async () => {
      if (failure !== null) throw failure;
    }).train!();
  for (const failure of [
    new RangeError("Array buffer allocation failed"),
    Object.assign(new Error("no space left on device"), { code: "ENOSPC" }),
    attributionError("ATT_SERVER_UNREACHABLE", "no answer"),
  ])
    expect(await look(failure)).toEqual({
      mismatch: `not recomputed, the next look tries again: ${failure.message}`,
      verdict: null,
    });
  expect(await look(null)).toMatchObject({ mismatch: null, verdict: { count: 1 } });
});

test("fees that were spent are known to the next process; a damaged file is named, and nothing of it taken", async () => {
  const state = await opened();
  await Promise.all([state.spend(7n, 5n), state.spend(7n, 6n), state.spend(8n, 1n)]);
  await state.spend(8n, -1n);
  await state.keepRight("3/0x1", "0xd1");
  const next = await opened();
  expect([next.spentWei(7n), next.spentWei(8n), next.spentWei(9n)]).toEqual([11n, 0n, 0n]);
  expect([next.isRight("3/0x1", "0xd1"), next.isRight("3/0x1", "0xd2")]).toEqual([true, false]);
  const text = await readFile(statePath(), "utf8");
  for (const damaged of [text.replace('"11"', '"01"'), text.slice(0, -20), text.slice(9)]) {
    await writeFile(statePath(), damaged);
    const damage: string[] = [];
    const read = await opened(damage);
    expect(damage).toEqual([expect.stringContaining(`${statePath()} is damaged`)]);
    expect([read.spentWei(7n), read.isRight("3/0x1", "0xd1")]).toEqual([0n, false]);
  }
});

test("thousands of verdicts with long warnings take little room, and the newest are kept", async () => {
  const state = await ChallengerState.open(join(folder, "many.json"), "many", () => {});
  const { statement } = made.honest;
  const { verdict } = judgedFiles(null, statement, { model: made.model, leaves: null }, async () => {});
  const warnings = Array.from({ length: 100 }, () => "x".repeat(10_000));
  for (let id = 1n; id <= 40n; id++) await state.keepVerdict(id, { ...kept(verdict!), warnings });
  expect((await readFile(join(folder, "many.json"))).length).toBeLessThan(40 * 5_000);
  expect(state.verdictOf({ id: 40n, statement })!.warnings).toHaveLength(8);
});
