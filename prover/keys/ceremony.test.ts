import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseVerificationKey, verifyProof } from "../formats/verification-key.ts";
import { zkeySection } from "../formats/zkey-layout.ts";
import { loadProductionKey, ProvingKeyChecker } from "../proving/proving-key.ts";
import { createSnarkjsProver } from "../snarkjs/snarkjs-backend.ts";
import { holdSnarkjs, makePowers } from "../testing/powers.fixtures.ts";
import { compileSample, sampleSource, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { KeyFile } from "../wasm/key-file.ts";
import { readSections } from "../wasm/zkey-sections.ts";
import { applyBeacon, contributeToKey, newKey, verifyKey } from "./ceremony.ts";
import { applyBeaconToKeys, contributeToKeys, newKeys, verifyKeys } from "./ceremony-keys.ts";
import { developmentSetup } from "./development-setup.ts";

const POWER = 5;
const beaconHex = "0102030405060708090a0b0c0d0e0f10";
const iterationsExp = 10;
const circuitNames = ["sample-1", "sample-4"];
const folder = await scratchFolder();
const at = (name: string) => join(folder, name);
const ptauPath = at("made.ptau");
const emptyPtauPath = at("empty.ptau");

/** sample-<n>: n squares. */
const resolveCircuit = (name: string) => ({ name, mainSource: sampleSource(Number(name.split("-")[1])) });
const keyOf = (round: string, circuit = "sample-4") => join(at(round), circuit, `${circuit}.zkey`);
const refusedFor = (reason: string) => ({ code: "PRV_CEREMONY_REFUSED", data: { reason } });
const powersRefusedFor = (reason: unknown) => ({ code: "PRV_PTAU_INVALID", data: { reason } });

holdSnarkjs();
beforeAll(async () => {
  await makePowers(folder, POWER, { ptauPath, emptyPtauPath });
  await newKeys({ circuitNames, resolveCircuit, ptauPath, folder: at("0") });
  await contributeToKeys({ fromPath: at("0"), toPath: at("1"), name: "Ada" });
  await contributeToKeys({ fromPath: at("1"), toPath: at("2"), name: "Ben B." });
  await applyBeaconToKeys({ fromPath: at("2"), toPath: at("3"), beaconHex: `0x${beaconHex}`, iterationsExp });
}, 60_000);

describe("a ceremony", () => {
  test("of two contributors and a beacon makes keys that verify, and lists who contributed", async () => {
    const verdicts = await verifyKeys({ path: at("3"), ptauPath, resolveCircuit });
    expect(verdicts.map(({ circuitName }) => circuitName)).toEqual(circuitNames);
    const hash = expect.stringMatching(/^[0-9a-f]{128}$/);
    const contributions = [
      { name: "Ada", hash, beacon: null },
      { name: "Ben B.", hash, beacon: null },
      { name: "beacon", hash, beacon: { hex: beaconHex, iterationsExp } },
    ];
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ isValid: true, reasons: [], contributions });
  });

  test("makes a key whose proofs verify", async () => {
    const circuit = await loadProductionKey(await compileSample(4), join(at("3"), "sample-4"));
    expect(circuit.isDevelopment).toBe(false);
    await new ProvingKeyChecker().check(circuit);
    const prover = createSnarkjsProver();
    const { proof, publicSignals } = await prover.prove({ circuit, inputs: { x: 3n, w: 5n } });
    await prover.close();
    const text = await readFile(join(at("3"), "sample-4", "verification-key.json"), "utf8");
    expect(verifyProof(parseVerificationKey(JSON.parse(text)), proof, publicSignals)).toBe(true);
    const forged = publicSignals.with(0, publicSignals[0]! + 1n);
    expect(verifyProof(circuit.verificationKey, proof, forged)).toBe(false);
  });

  test("takes single files, and names the contribution by the hash that snarkjs prints", async () => {
    const lines: string[] = [];
    const [fromPath, toPath] = [keyOf("0"), at("sample-4.1.zkey")];
    const [step] = await contributeToKeys({ fromPath, toPath, name: "Ada" });
    const [verdict] = await verifyKeys({ path: toPath, ptauPath, resolveCircuit });
    expect(verdict).toMatchObject({ circuitName: "sample-4", isValid: true });
    expect(verdict!.contributions).toEqual(step!.contributions);
    const { zKey } = await import("snarkjs");
    const { r1csPath } = await compileSample(4);
    const logger = { info: (text: string) => lines.push(text), debug() {}, warn() {}, error() {} };
    await zKey.verifyFromR1cs(r1csPath, ptauPath, toPath, logger);
    const printed = lines.find((line) => line.startsWith("contribution #1 Ada"))!;
    expect(printed.split("\n").slice(1).join("").replaceAll(/\s/g, "")).toBe(verdict!.contributions[0]!.hash);
  });

  test("leaves nothing half written", async () => {
    expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".part"))).toEqual([]);
  });
});

describe("verifyKey", () => {
  const verify = async (zkeyPath: string, squareCount = 4) =>
    verifyKey(await compileSample(squareCount), { ptauPath, zkeyPath });

  /** The key with one bit of a section turned. */
  async function tamper(section: number, name: string): Promise<string> {
    const path = at(name);
    await copyFile(keyOf("3"), path);
    const file = new KeyFile(path);
    const { byteCount, position } = readSections(file)[section]!;
    file.close();
    const bytes = await readFile(path);
    bytes[position + byteCount - 1]! ^= 1;
    await writeFile(path, bytes);
    return path;
  }

  // One of each kind: points that snarkjs compares, points that it checks by pairings, and the contributions.
  const sections = (["ic", "c", "contributions"] as const).map((name) => [name, zkeySection[name]] as const);
  test.each(sections)("refuses a key whose section %s was changed", async (name, section) => {
    const path = await tamper(section, `tampered-${name}.zkey`);
    const verdict = await verify(path).catch(({ code }) => ({ isValid: false, reasons: [code] }));
    expect(verdict).toMatchObject({ isValid: false });
    expect(verdict.reasons.length).toBeGreaterThan(0);
  });

  test("refuses another circuit's key, and a development key", async () => {
    expect(await verify(keyOf("3"), 1)).toMatchObject({ isValid: false });
    const { zkeyPath } = await developmentSetup(await compileSample(4), { cacheDir: folder });
    expect(await verify(zkeyPath)).toMatchObject({ isValid: false, contributions: [] });
  });

  test("says of a first key that nobody contributed", async () => {
    expect(await verify(keyOf("0"))).toMatchObject({ isValid: true, contributions: [] });
  });
});

describe("a step is refused", () => {
  test("where something would be overwritten", async () => {
    const paths = { fromPath: at("0"), toPath: at("1") };
    await expect(contributeToKeys({ ...paths, name: "Eve" })).rejects.toMatchObject(
      refusedFor("target-exists"),
    );
    const files = { fromPath: keyOf("0"), toPath: keyOf("1") };
    await expect(contributeToKey({ ...files, name: "Eve" })).rejects.toMatchObject(
      refusedFor("target-exists"),
    );
  });

  test("after the beacon, and a beacon on a key that nobody contributed to", async () => {
    const late = { fromPath: keyOf("3"), toPath: at("late.zkey") };
    await expect(contributeToKey({ ...late, name: "Eve" })).rejects.toMatchObject(
      refusedFor("already-ended"),
    );
    const early = { fromPath: keyOf("0"), toPath: at("early.zkey"), beaconHex, iterationsExp };
    await expect(applyBeacon(early)).rejects.toMatchObject(refusedFor("no-contribution"));
  });

  test("for a development key", async () => {
    const { zkeyPath } = await developmentSetup(await compileSample(4), { cacheDir: folder });
    const step = { fromPath: zkeyPath, toPath: at("laundered.zkey"), name: "Eve" };
    await expect(contributeToKey(step)).rejects.toMatchObject(refusedFor("development-key"));
  });

  test.each(["", " Ada", "Ada\n", "Zoë", "A".repeat(65)])("for the name %j", async (name) => {
    const step = { fromPath: keyOf("0"), toPath: at("never.zkey"), name };
    await expect(contributeToKey(step)).rejects.toMatchObject(refusedFor("name-invalid"));
  });

  test.each([
    ["", 10],
    ["0x", 10],
    ["abc", 10],
    ["00".repeat(256), 10],
    ["00", 9],
    ["00", 64],
    ["00", Number.NaN],
  ])("for the beacon %j hashed 2^%d times", async (hex, exponent) => {
    const step = { fromPath: keyOf("1"), toPath: at("never.zkey"), beaconHex: hex, iterationsExp: exponent };
    await expect(applyBeacon(step)).rejects.toMatchObject(refusedFor("beacon-invalid"));
  });

  test("where there are no keys", async () => {
    const step = { toPath: at("never"), name: "Ada" };
    await expect(contributeToKeys({ ...step, fromPath: at("nowhere") })).rejects.toMatchObject(
      refusedFor("no-keys"),
    );
    await expect(contributeToKeys({ ...step, fromPath: folder })).rejects.toMatchObject(
      refusedFor("no-keys"),
    );
  });

  test("for powers of tau without a contribution, unprepared, missing or too few", async () => {
    const start = async (path: string, squareCount = 4) =>
      newKey(await compileSample(squareCount), { ptauPath: path, zkeyPath: at("never.zkey") });
    await expect(start(emptyPtauPath)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "no-contribution", contributionCount: 0, secretsEqualToOne: ["tau", "alpha", "beta"] },
    });
    await expect(start(at("one.ptau"))).rejects.toMatchObject(
      powersRefusedFor(expect.stringContaining("prepare phase2")),
    );
    await expect(start(at("nowhere.ptau"))).rejects.toMatchObject(powersRefusedFor("it cannot be opened"));
    await expect(start(ptauPath, 600)).rejects.toMatchObject({
      code: "PRV_PTAU_INVALID",
      data: { reason: "too-small", power: POWER, neededPower: 10 },
    });
  });
});
