/**
 * A real ceremony for a drill: three contributions to each circuit and a beacon, by the same functions as `npm run ceremony`,
 * on powers of tau of its own (drill-powers.ts). The contributions are those of the page, which take seconds where snarkjs takes
 * a minute. Its keys are kept by the circuit's content, and convince nobody but the drill: one process drew all the secrets.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { compileCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { contribute } from "@openledger/prover/ceremony/contribute";
import { recordBytes } from "@openledger/prover/internal/ceremony/contribution-record";
import { type NamedRecord, readFirstRound, writeRoundKey } from "@openledger/prover/internal/keys/round-key";
import { applyBeacon, exportKey, startKey } from "@openledger/prover/keys/ceremony";
import { writeDrillPowers } from "./drill-powers.ts";

const FOLDER = join(repositoryRoot, ".cache", "drill-ceremony");
const CONTRIBUTORS = ["Ada", "Ben", "Cleo"];
const BEACON_HEX = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

interface DrillCeremony {
  readonly ptauPath: string;
  /** Of each circuit, as `ceremony export` writes it. */
  readonly keyFolders: readonly string[];
}

/**
 * Minutes at the first time.
 *
 * @param power of two that the largest circuit needs
 */
export async function drillCeremony(
  circuitNames: readonly string[],
  power: number,
  tell: (text: string) => void,
): Promise<DrillCeremony> {
  await mkdir(FOLDER, { recursive: true });
  const ptauPath = await powers(power, tell);
  const keyFolders: string[] = [];
  for (const name of circuitNames) keyFolders.push(await keyOf(name, ptauPath, power, tell));
  return { ptauPath, keyFolders };
}

async function powers(power: number, tell: (text: string) => void): Promise<string> {
  const path = join(FOLDER, `pot${power}.ptau`);
  if (existsSync(path)) return path;
  tell(`powers of tau for 2^${power} constraints (once, then cached)`);
  await writeDrillPowers(path, power);
  return path;
}

async function keyOf(
  circuitName: string,
  ptauPath: string,
  power: number,
  tell: (text: string) => void,
): Promise<string> {
  const { contentHash } = await compileCircuit(circuitSpec(circuitName));
  const folder = join(FOLDER, `${circuitName}-${contentHash.slice(0, 24)}-${power}`);
  if (existsSync(folder)) return folder;
  tell(`a ceremony of ${CONTRIBUTORS.length} contributions for ${circuitName} (once, then cached)`);
  // Each step is kept until the last one is done: a drill that was killed goes on here.
  const part = (name: string) => `${folder}.${name}.zkey`;
  const [first, contributed, ended] = [part("first"), part("contributed"), part("ended")];
  const request = { circuitName, resolveCircuit: circuitSpec, ptauPath };
  if (!existsSync(first)) await startKey({ ...request, zkeyPath: first });
  if (!existsSync(contributed)) await contributeAll(first, contributed, tell);
  const beacon = { beaconHex: BEACON_HEX, iterationsExp: 10 };
  if (!existsSync(ended)) await applyBeacon({ fromPath: contributed, toPath: ended, ...beacon });
  tell(`verifying the ceremony of ${circuitName}`);
  await exportKey({ ...request, zkeyPath: ended, folder });
  for (const path of [first, contributed, ended]) await rm(path, { force: true });
  return folder;
}

async function contributeAll(firstPath: string, toPath: string, tell: (text: string) => void): Promise<void> {
  const { circuitHash, shape, ...first } = await readFirstRound(firstPath);
  let { round } = first;
  const named: NamedRecord[] = [];
  for (const name of CONTRIBUTORS) {
    const records = named.map(({ record }) => record);
    const work = { ...{ circuitHash, shape, records, round }, entropy: new Uint8Array() };
    ({ round } = contribute(work, () => {}));
    named.push({ name, record: round.slice(0, recordBytes) });
    tell(`${name} has contributed`);
  }
  writeRoundKey(firstPath, shape, round, named, toPath);
}
