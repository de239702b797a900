/**
 * A real ceremony for a drill: three contributions to each circuit and a beacon, by the same functions as `npm run ceremony`,
 * on powers of tau of its own (drill-powers.ts). Its keys are kept by the circuit's content, and convince nobody but the
 * drill: one process drew all the secrets.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { compileCircuit, repositoryRoot } from "../../circuits/compiler/compile.ts";
import { circuitSpec } from "../../circuits/registry/circuit-registry.ts";
import { applyBeacon, contributeToKey, exportKey, startKey } from "../../prover/keys/ceremony.ts";
import { writeDrillPowers } from "./drill-powers.ts";

const FOLDER = join(repositoryRoot, ".cache", "drill-ceremony");
const CONTRIBUTORS = ["Ada", "Ben", "Cleo"];
const BEACON_HEX = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

export interface DrillCeremony {
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
  const part = (i: number) => `${folder}.part-${i}.zkey`;
  const request = { circuitName, resolveCircuit: circuitSpec, ptauPath };
  const steps: ((fromPath: string, toPath: string) => Promise<unknown>)[] = [
    (_fromPath, zkeyPath) => startKey({ ...request, zkeyPath }),
    ...CONTRIBUTORS.map(
      (contributorName) => (fromPath: string, toPath: string) =>
        contributeToKey({ fromPath, toPath, contributorName }),
    ),
    (fromPath, toPath) => applyBeacon({ fromPath, toPath, beaconHex: BEACON_HEX, iterationsExp: 10 }),
  ];
  for (const [i, step] of steps.entries()) if (!existsSync(part(i))) await step(part(i - 1), part(i));
  tell(`verifying the ceremony of ${circuitName}`);
  await exportKey({ ...request, zkeyPath: part(steps.length - 1), folder });
  for (const i of steps.keys()) await rm(part(i), { force: true });
  return folder;
}
