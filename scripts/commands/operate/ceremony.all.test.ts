import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePowers } from "@openledger/prover/testing/powers.fixtures";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const CIRCUIT = "leaf-exit";
const POWER = 13;
const beacon = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
const folder = await mkdtemp(join(tmpdir(), "ceremony-"));
const at = (name: string) => join(folder, name);
const ptau = at("made.ptau");

const ceremony = async (...words: string[]) => {
  const { status, stdout } = await runInProcess("--json", "ceremony", ...words);
  return { status, answer: JSON.parse(stdout) };
};
const contribute = (from: string, to: string, name: string) =>
  ceremony("contribute", "--from", at(from), "--to", at(to), "--name", name);

beforeAll(async () => {
  await makePowers(folder, POWER, { ptauPath: ptau });
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openledger ceremony", () => {
  test("makes, contributes to, ends and verifies the keys of a registered circuit", async () => {
    const first = await ceremony("new", "--circuits", CIRCUIT, "--ptau", ptau, "--to", at("0"));
    expect(first).toMatchObject({
      status: 0,
      answer: { keys: [{ circuitName: CIRCUIT, contributions: [] }] },
    });
    expect(await contribute("0", "1", "Ada")).toMatchObject({ status: 0 });
    const second = await contribute("1", "2", "Ben");
    const end = await ceremony("beacon", "--from", at("2"), "--to", at("keys"), "--beacon", beacon);
    expect(end).toMatchObject({ status: 0 });
    const { answer, status } = await ceremony("verify", "--keys", at("keys"), "--ptau", ptau);
    expect(status).toBe(0);
    expect(answer).toMatchObject({ isValid: true, keys: [{ circuitName: CIRCUIT, reasons: [] }] });
    expect(answer.keys[0].contributions).toEqual(end.answer.keys[0].contributions);
    expect(answer.keys[0].contributions.slice(0, 2)).toEqual(second.answer.keys[0].contributions);
  });

  test("ends with 1 where a key does not verify, and where a step is refused", async () => {
    await writeFile(at("not-a-key.zkey"), "nothing");
    expect(await ceremony("verify", "--keys", at("not-a-key.zkey"), "--ptau", ptau)).toMatchObject({
      status: 1,
      answer: { error: { code: "PRV_KEY_INVALID" } },
    });
    await copyFile(join(at("keys"), CIRCUIT, `${CIRCUIT}.zkey`), at("payee-exit-4.zkey"));
    expect(await ceremony("verify", "--keys", at("payee-exit-4.zkey"), "--ptau", ptau)).toMatchObject({
      status: 1,
      answer: { error: { code: "PRV_PTAU_INVALID" } },
    });
    expect(await contribute("0", "1", "Eve")).toMatchObject({
      status: 1,
      answer: { error: { code: "PRV_CEREMONY_REFUSED", data: { reason: "target-exists" } } },
    });
  });
});
