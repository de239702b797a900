import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attributionError } from "@openledger/attribution/attribution-errors";
import { writeModel } from "@openledger/attribution/model/model-directory";
import { zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DirectCase, directCase } from "../model-commitments/testing/direct-case.ts";
import { ModelVerdicts } from "./model-verdicts.ts";
import { publishedFiles } from "./watch.ts";

const OTHER = `0x${"11".repeat(20)}` as const;
let folder: string;
let made: DirectCase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "verdicts-"));
  made = await directCase(24);
  await rm(folder, { recursive: true });
  await writeModel(folder, made.model);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a model commitment that was warned of is not trained again by the next look", async () => {
  let asked = 0;
  class Counted extends ModelVerdicts {
    override of(...[disputes, modelCommitment, model, verify]: Parameters<ModelVerdicts["of"]>) {
      return super.of(disputes, modelCommitment, model, () => {
        asked++;
        return verify();
      });
    }
  }
  const verdicts = new Counted();
  const { statement } = made.honest;
  const look = async (id: bigint, of = statement, disputes: `0x${string}` = zeroAddress) => {
    const files = await publishedFiles(
      disputes,
      { id, family: "direct", modelId: 11, statement: of },
      { model: folder },
      verdicts,
    );
    return files!.mismatch;
  };
  const hostile = { ...statement, rowsRoot: 5n };
  const first = await look(1n, hostile);
  expect(first).toContain("rowsRoot");
  expect([await look(1n, hostile), await look(1n, hostile), asked]).toEqual([first, first, 1]);
  // Another model commitment, another statement, another contract: each is looked at.
  await look(2n, hostile);
  await look(1n, { ...hostile, rowsRoot: 6n });
  await look(1n, hostile, OTHER);
  expect(asked).toBe(4);
  expect([await look(3n), await look(3n), asked]).toEqual([null, null, 5]);
});

test("other files are looked at again, a few times; and of many model commitments the newest are remembered", async () => {
  const verdicts = new ModelVerdicts(2);
  const { model } = made;
  let asked = 0;
  const look = (id: bigint, rate: number) => {
    const statement = made.honest.statement;
    const served = { ...model, features: { ...model.features, scale: rate } };
    return verdicts.of(zeroAddress, { id, statement }, served, async () => {
      throw attributionError("ATT_MODEL_MISMATCH", `look ${++asked}`);
    });
  };
  expect(await look(1n, 1)).toBe("look 1");
  expect(await look(1n, 2)).toBe("look 2");
  for (let changed = 3; changed < 20; changed++) await look(1n, changed);
  expect(asked).toBe(4);
  await look(2n, 1);
  await look(3n, 1);
  await look(2n, 1);
  expect(asked).toBe(6);
  expect(await look(1n, 1)).toBe("look 7");
});

test("a watcher's own failure is no judgement of the model: the next look tries again", async () => {
  const verdicts = new ModelVerdicts();
  const { statement } = made.honest;
  let asked = 0;
  const look = (failure: Error | null) =>
    verdicts.of(zeroAddress, { id: 1n, statement }, made.model, async () => {
      asked++;
      if (failure !== null) throw failure;
    });
  const failures = [
    new RangeError("Array buffer allocation failed"),
    Object.assign(new Error("no space left on device"), { code: "ENOSPC" }),
    attributionError("ATT_SERVER_UNREACHABLE", "no answer"),
    attributionError("ATT_SCORE_MODE_UNAVAILABLE", "no card"),
  ];
  // More than the files of one model commitment that are looked at: none of them counts.
  for (const failure of [...failures, ...failures])
    expect(await look(failure)).toBe(`not recomputed, the next look tries again: ${failure.message}`);
  expect([await look(null), await look(new Error("not asked")), asked]).toEqual([null, null, 9]);
});
