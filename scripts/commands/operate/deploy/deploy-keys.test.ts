import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { applyBeaconToKeys, contributeToKeys, newKeys } from "@openledger/prover/keys/ceremony-keys";
import { loadProductionKey } from "@openledger/prover/proving/proving-key";
import { holdSnarkjs, makePowers } from "@openledger/prover/testing/powers.fixtures";
import { sampleSource } from "@openledger/prover/testing/sample-circuit.fixtures";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkCeremonyKey, publicChainName, VerifiedKeys } from "./deploy-keys.ts";

const CIRCUIT = "sample-4";
const POWER = 4;
const SEPOLIA_ID = 11_155_111;
const LOCAL_ID = 1337;
const beacon = "0102030405060708090a0b0c0d0e0f10";
const folder = await mkdtemp(join(tmpdir(), "deploy-keys-"));
const at = (name: string) => join(folder, name);
const resolveCircuit = () => ({ name: CIRCUIT, mainSource: sampleSource(4) });
const [ptau, others] = [at("made.ptau"), at("others.ptau")];
const begin = (name: string, ptauPath: string) =>
  newKeys({ circuitNames: [CIRCUIT], resolveCircuit, ptauPath, folder: at(name) });
const contribute = (from: string, to: string, name: string) =>
  contributeToKeys({ fromPath: at(from), toPath: at(to), name });

holdSnarkjs();
beforeAll(async () => {
  await makePowers(folder, POWER, { ptauPath: ptau });
  await begin("0", ptau);
  await contribute("0", "1", "Ada");
  await contribute("1", "2", "Ben");
  await applyBeaconToKeys({ fromPath: at("2"), toPath: at("keys"), beaconHex: beacon, iterationsExp: 10 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const check = async (
  name: string,
  { chainId = LOCAL_ID, ...question }: { chainId?: number; minContributions?: number; beacon?: string } = {},
  tell: (text: string) => void = () => {},
) => {
  const circuit = await compileCircuit(resolveCircuit());
  const proving = await loadProductionKey(circuit, join(at(name), CIRCUIT));
  const keys = { folder: at(name), ptau, minContributions: 1, ...question };
  const verified = new VerifiedKeys(at("verified-keys.json"));
  return checkCeremonyKey(circuit, proving, { chainId, keys, verified }, tell);
};
const refusedFor = (reason: string) => ({ code: "CMD_DEPLOY_REFUSED", data: { reason } });

test("takes a key with the contributions and the beacon that were asked for, and verifies it once", async () => {
  const lines: string[] = [];
  const question = { minContributions: 2, beacon, chainId: SEPOLIA_ID };
  for (const _ of [1, 2]) {
    const contributions = await check("keys", question, (line) => lines.push(line));
    expect(contributions.map(({ name }) => name)).toEqual(["Ada", "Ben", "beacon"]);
  }
  expect(lines.filter((line) => line.startsWith("verifying"))).toEqual([
    `verifying the ceremony of ${CIRCUIT}`,
  ]);
});

test("takes a key without a beacon where none is asked for", async () => {
  expect(await check("1")).toHaveLength(1);
});

test("refuses a key without contributions, with too few, and without the beacon", async () => {
  await expect(check("0")).rejects.toMatchObject(refusedFor("no-contribution"));
  await expect(check("keys", { minContributions: 3 })).rejects.toMatchObject(
    refusedFor("too-few-contributions"),
  );
  await expect(check("2", { beacon })).rejects.toMatchObject(refusedFor("no-beacon"));
  await expect(check("keys", { beacon: "00" })).rejects.toMatchObject(refusedFor("no-beacon"));
});

test("refuses a rehearsal's key on a public chain alone", async () => {
  await contribute("0", "rehearsed", "rehearsal: Ada");
  await expect(check("rehearsed", { chainId: SEPOLIA_ID })).rejects.toMatchObject(
    refusedFor("rehearsed-keys"),
  );
  expect(await check("rehearsed")).toHaveLength(1);
});

test("refuses a key that snarkjs refuses", async () => {
  await makePowers(folder, POWER, { ptauPath: others });
  await begin("others-0", others);
  await contribute("others-0", "others-1", "Eve");
  await expect(check("others-1")).rejects.toMatchObject(refusedFor("key-refused"));
});

test("knows public chains, which take no rehearsal's keys, from local ones", async () => {
  const names = await Promise.all([1, SEPOLIA_ID, 8453, 31_337, LOCAL_ID, 20_261_126].map(publicChainName));
  expect(names).toEqual(["Ethereum", "Sepolia", "Base", null, null, null]);
});
