import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { beforeAll, describe, expect, test } from "vitest";
import { parseVerificationKey, toSolidityKey, verifyProof } from "../formats/verification-key.ts";
import { loadProductionKey } from "../proving/proving-key.ts";
import { createSnarkjsProver } from "../snarkjs/snarkjs-backend.ts";
import { makePowers } from "../testing/powers.fixtures.ts";
import { compileSample, sampleSource, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import {
  applyBeacon,
  contributeToKey,
  exportDevelopmentKey,
  exportKey,
  isRehearsed,
  REHEARSAL,
  startKey,
  verifyKey,
} from "./ceremony.ts";
import { developmentSetup } from "./development-setup.ts";

const power = 8;
const beaconHex = "0102030405060708090a0b0c0d0e0f10";
const folder = await scratchFolder();
let ptauPath: string;
let emptyPtauPath: string;

/** sample-<n>: n squares. */
const resolveCircuit = (name: string) => ({ name, mainSource: sampleSource(Number(name.split("-")[1])) });
const at = (name: string) => join(folder, name);
const sample = () => ({ circuitName: "sample-4", resolveCircuit, ptauPath });

beforeAll(async () => {
  [ptauPath, emptyPtauPath] = [at("made.ptau"), at("empty.ptau")];
  await makePowers(folder, power, { ptauPath, emptyPtauPath });
});

describe("exportDevelopmentKey", () => {
  test("writes the same folder, marked as insecure everywhere, which production refuses", async () => {
    const folderOfKey = at("development");
    await exportDevelopmentKey({ circuitName: "sample-4", resolveCircuit, folder: folderOfKey });
    const read = async (name: string) => JSON.parse(await readFile(join(folderOfKey, name), "utf8"));
    const circuit = await compileSample(4);
    const { verificationKey, zkeyPath } = await developmentSetup(circuit);
    expect(await read("solidity-key.json")).toEqual({
      isDevelopment: true,
      ...JSON.parse(
        JSON.stringify(toSolidityKey(verificationKey), (_, v) => (typeof v === "bigint" ? `${v}` : v)),
      ),
    });
    expect(zkeyPath).toContain("INSECURE-DEVELOPMENT");
    expect(await read("meta.json")).toMatchObject({
      isDevelopment: true,
      zkeyFile: "sample-4.INSECURE-DEVELOPMENT.zkey",
    });
    await expect(loadProductionKey(circuit, folderOfKey)).rejects.toMatchObject({
      code: "PRV_KEY_INVALID",
      data: { reason: "key-mismatch" },
    });
    await expect(
      exportDevelopmentKey({ circuitName: "sample-4", resolveCircuit, folder: folderOfKey }),
    ).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
  });
});

describe("ceremony", () => {
  test("makes a key with two contributors and a beacon, which proves and verifies", async () => {
    const start = await startKey({ ...sample(), zkeyPath: at("0.zkey") });
    expect(start).toMatchObject({ contributionCount: 0, hash: expect.stringMatching(/^[0-9a-f]{128}$/) });
    await contributeToKey({ fromPath: at("0.zkey"), toPath: at("1.zkey"), contributorName: "Ada" });
    await contributeToKey({
      fromPath: at("1.zkey"),
      toPath: at("2.zkey"),
      contributorName: "Ben",
      entropy: "dice",
    });
    const end = await applyBeacon({
      fromPath: at("2.zkey"),
      toPath: at("3.zkey"),
      beaconHex,
      iterationsExp: 10,
    });
    expect(end.contributionCount).toBe(3);
    expect(await verifyKey({ ...sample(), zkeyPath: at("3.zkey") })).toEqual({
      isValid: true,
      contributionCount: 3,
      reasons: [],
    });
    await exportKey({ ...sample(), zkeyPath: at("3.zkey"), folder: at("keys") });

    const circuit = await loadProductionKey(await compileSample(4), at("keys"));
    expect(circuit.isDevelopment).toBe(false);
    const prover = createSnarkjsProver();
    const result = await prover.prove({ circuit, inputs: { x: 3n, w: 5n } });
    await prover.close();
    const read = async (name: string) => JSON.parse(await readFile(join(at("keys"), name), "utf8")) as object;
    const key = parseVerificationKey(await read("verification-key.json"));
    expect(verifyProof(key, result.proof, result.publicSignals)).toBe(true);
    expect(await read("solidity-key.json")).toMatchObject({
      isDevelopment: false,
      alpha: toSolidityKey(key).alpha.map(String),
    });
  });

  test("tells a rehearsal's key, and takes no contribution after the beacon", async () => {
    await startKey({ ...sample(), zkeyPath: at("own-0.zkey") });
    const names = ["Ada", `${REHEARSAL}: Ben`, "Cleo"];
    for (const [i, contributorName] of names.entries()) {
      const step = { fromPath: at(`own-${i}.zkey`), toPath: at(`own-${i + 1}.zkey`), contributorName };
      expect(await contributeToKey(step)).toMatchObject({ contributionCount: i + 1 });
    }
    expect([1, 2, 3].map((i) => isRehearsed(at(`own-${i}.zkey`)))).toEqual([false, true, true]);
    const end = { toPath: at("own-end.zkey"), beaconHex, iterationsExp: 10 };
    await applyBeacon({ fromPath: at("own-3.zkey"), ...end });
    expect(await verifyKey({ ...sample(), zkeyPath: at("own-end.zkey") })).toMatchObject({ isValid: true });
    const late = { fromPath: at("own-end.zkey"), toPath: at("own-late.zkey"), contributorName: "Eve" };
    await expect(contributeToKey(late)).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
  });

  test("refuses powers of tau to which nobody contributed", async () => {
    const request = { ...sample(), ptauPath: emptyPtauPath, zkeyPath: at("never.zkey") };
    await expect(startKey(request)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "no-contribution", contributionCount: 0, secretsEqualToOne: ["tau", "alpha", "beta"] },
    });
  });

  test("refuses powers of tau that are unprepared, missing or too few", async () => {
    const unprepared = { ...sample(), ptauPath: at("one.ptau"), zkeyPath: at("never.zkey") };
    await expect(startKey(unprepared)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: expect.stringContaining("ceremony -- prepare") },
    });
    const missing = { ...sample(), ptauPath: at("nowhere.ptau"), zkeyPath: at("never.zkey") };
    await expect(startKey(missing)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "it cannot be opened" },
    });
    const large = { ...sample(), circuitName: "sample-600", zkeyPath: at("never.zkey") };
    await expect(startKey(large)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "too-small", power, neededPower: 10 },
    });
  });

  test("refuses to export a key without contributions, and a beacon on top of none", async () => {
    await startKey({ ...sample(), zkeyPath: at("bare.zkey") });
    await expect(
      exportKey({ ...sample(), zkeyPath: at("bare.zkey"), folder: at("bare") }),
    ).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
    await expect(
      applyBeacon({ fromPath: at("bare.zkey"), toPath: at("bare-1.zkey"), beaconHex, iterationsExp: 10 }),
    ).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
  });

  test("refuses a development key, and to overwrite a key", async () => {
    const { zkeyPath } = await developmentSetup(await compileSample(4), { cacheDir: folder });
    expect(await verifyKey({ ...sample(), zkeyPath })).toMatchObject({ isValid: false });
    await startKey({ ...sample(), zkeyPath: at("kept.zkey") });
    await expect(startKey({ ...sample(), zkeyPath: at("kept.zkey") })).rejects.toMatchObject({
      code: "PRV_CEREMONY_REFUSED",
    });
    await contributeToKey({ fromPath: zkeyPath, toPath: at("laundered.zkey"), contributorName: "Eve" });
    await expect(
      exportKey({ ...sample(), zkeyPath: at("laundered.zkey"), folder: at("laundered") }),
    ).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
  });
});

describe("npm run ceremony", () => {
  test("prints an example with each command's help", async () => {
    for (const command of ["new", "contribute", "beacon", "verify", "export"]) {
      const { status, stdout } = await runScript([command, "--help"]);
      expect(status).toBe(0);
      expect(stdout).toContain(`$ npm run ceremony -- ${command} `);
    }
  });

  test("ends with the error's code where a step is refused", async () => {
    const refused = [
      "new",
      "--circuit",
      "table-1-1-1-2-1-1-1",
      "--ptau",
      emptyPtauPath,
      "--out",
      at("cli.zkey"),
      "--json",
    ];
    const { status, stdout, stderr } = await runScript(refused);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(JSON.parse(stderr)).toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "no-contribution" },
    });
  });
});

function runScript(args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/ceremony.ts", ...args], {
    cwd: repositoryRoot,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((settle) => child.once("close", (status) => settle({ status, stdout, stderr })));
}
