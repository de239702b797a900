import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newKeys, verifyKeys } from "@openledger/prover/keys/ceremony-keys";
import { holdSnarkjs, makePowers } from "@openledger/prover/testing/powers.fixtures";
import { sampleSource } from "@openledger/prover/testing/sample-circuit.fixtures";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runInProcess } from "../testing/run-in-process.ts";

const CIRCUIT = "sample-4";
const POWER = 4;
const value = "0102030405060708090a0b0c0d0e0f10";
const folder = await mkdtemp(join(tmpdir(), "ceremony-"));
const at = (name: string) => join(folder, name);
const [ptau, empty] = [at("made.ptau"), at("empty.ptau")];
const resolveCircuit = () => ({ name: CIRCUIT, mainSource: sampleSource(4) });

const ceremony = async (...words: string[]) => {
  const { status, stdout } = await runInProcess("--json", "ceremony", ...words);
  return { status, answer: JSON.parse(stdout) };
};
const contribute = (from: string, to: string, name: string) =>
  ceremony("contribute", "--from", at(from), "--to", at(to), "--name", name);
const refused = (code: string, reason: string) => ({
  status: 1,
  answer: { error: { code, data: { reason } } },
});

holdSnarkjs();
beforeAll(async () => {
  await makePowers(folder, POWER, { ptauPath: ptau, emptyPtauPath: empty });
  await newKeys({ circuitNames: [CIRCUIT], resolveCircuit, ptauPath: ptau, folder: at("0") });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openledger ceremony", () => {
  test("contributes to keys, and ends them with a beacon", async () => {
    const ada = await contribute("0", "1", "Ada");
    expect(ada).toMatchObject({
      status: 0,
      answer: { keys: [{ circuitName: CIRCUIT, contributions: [{ name: "Ada" }] }] },
    });
    const end = await ceremony("beacon", "--from", at("1"), "--to", at("keys"), "--value", value);
    expect(end).toMatchObject({ status: 0 });
    const [verdict] = await verifyKeys({ path: at("keys"), ptauPath: ptau, resolveCircuit });
    expect(verdict).toMatchObject({ isValid: true, contributions: end.answer.keys[0].contributions });
    expect(verdict!.contributions[0]).toEqual(ada.answer.keys[0].contributions[0]);
  });

  test("answers with a code where a step is refused", async () => {
    expect(await contribute("0", "0", "Eve")).toMatchObject(refused("PRV_CEREMONY_REFUSED", "target-exists"));
    const begin = (path: string) =>
      ceremony("new", "--circuits", "leaf-exit", "--ptau", path, "--to", at("never"));
    expect(await begin(empty)).toMatchObject(refused("PRV_PTAU_INVALID", "no-contribution"));
    expect(await begin(ptau)).toMatchObject(refused("PRV_PTAU_INVALID", "too-small"));
  });

  test("verifies registered circuits alone, against enough powers of tau", async () => {
    const verify = (path: string) => ceremony("verify", "--keys", path, "--ptau", ptau);
    expect(await verify(at("0"))).toMatchObject({
      status: 1,
      answer: { error: { code: "CIR_CIRCUIT_UNKNOWN" } },
    });
    await copyFile(join(at("0"), CIRCUIT, `${CIRCUIT}.zkey`), at("leaf-exit.zkey"));
    expect(await verify(at("leaf-exit.zkey"))).toMatchObject(refused("PRV_PTAU_INVALID", "too-small"));
  });
});
