/**
 * The second phase of a Groth16 setup for one circuit, by snarkjs: `newKey`, then any number of `contributeToKey` by
 * different people, then `applyBeacon`. A key is sound if one contributor, and one of the powers-of-tau file's, forgot
 * their secret (docs/how-to/keys.md). Every step reads one zkey file and writes another, whole or not at all.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CompiledCircuit } from "@openledger/circuits/compiler/compile";
import { type SnarkjsLogger, zKey } from "snarkjs";
import { readPtauHeader } from "../formats/ptau-file.ts";
import { readZkeyHeader } from "../formats/zkey-file.ts";
import { proverError } from "../prover-errors.ts";
import { type Contribution, readContributions } from "./contributions.ts";
import { isDevelopmentKey } from "./development-key.ts";
import { withSnarkjs } from "./with-snarkjs.ts";

/** Receives lines about a step's progress. */
export type OnProgress = (line: string) => void;

export interface KeyStep {
  readonly zkeyPath: string;
  /** Contributions in the written key, the beacon included. */
  readonly contributions: readonly Contribution[];
}

export interface KeyVerdict {
  /** True if the key follows from the circuit, the powers of tau and its contributions. */
  readonly isValid: boolean;
  readonly contributions: readonly Contribution[];
  /** snarkjs' objections. */
  readonly reasons: readonly string[];
}

/** Names of contributors to a rehearsal begin with it. `deploy` refuses their keys on public chains. */
export const REHEARSAL = "rehearsal";

/** Minimum power of two of a powers-of-tau file for a circuit's key. */
export const neededPower = ({
  constraintCounts,
  publicCount,
}: Pick<CompiledCircuit, "constraintCounts" | "publicCount">): number =>
  Math.ceil(Math.log2(constraintCounts.nonLinear + constraintCounts.linear + publicCount + 1));

/**
 * Writes a circuit's first key, which has no contribution and must not be used.
 *
 * @throws RollupError PRV_PTAU_INVALID, PRV_CEREMONY_REFUSED
 */
export async function newKey(
  circuit: CompiledCircuit,
  { ptauPath, zkeyPath }: { ptauPath: string; zkeyPath: string },
  onProgress: OnProgress = () => {},
): Promise<KeyStep> {
  await checkPowers(circuit, ptauPath);
  return writeStep(zkeyPath, (path) =>
    zKey.newZKey(circuit.r1csPath, ptauPath, path, loggerTo(onProgress, `${circuit.name}: first key`)),
  );
}

/**
 * Adds one person's secret, drawn from this machine's randomness, and forgets it.
 *
 * @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED
 */
export async function contributeToKey(
  { fromPath, name, toPath }: { fromPath: string; toPath: string; name: string },
  onProgress: OnProgress = () => {},
): Promise<KeyStep> {
  // snarkjs writes one byte a character.
  if (!/^[!-~]([ -~]{0,62}[!-~])?$/.test(name))
    throw refused("name-invalid", `"${name}" is no name: 1 to 64 ASCII characters that are visible`, {
      name,
    });
  await checkOpen(fromPath);
  const entropy = randomBytes(64).toString("hex");
  return writeStep(toPath, (path) =>
    zKey.contribute(fromPath, path, name, entropy, loggerTo(onProgress, `${fromPath}: contribution`)),
  );
}

/** A public value that ends a ceremony. */
export interface Beacon {
  /** 1 to 255 bytes, with or without 0x: for example a block hash announced beforehand. */
  readonly beaconHex: string;
  /** The value is hashed 2^iterationsExp times, 10 to 63. */
  readonly iterationsExp: number;
}

/**
 * Ends a ceremony with a public value that nobody could foresee when the last contribution was made: the last
 * contributor could not choose the result.
 *
 * @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED
 */
export async function applyBeacon(
  request: Beacon & { fromPath: string; toPath: string; name?: string },
  onProgress: OnProgress = () => {},
): Promise<KeyStep> {
  const { fromPath, iterationsExp, name = "beacon", toPath } = request;
  const beaconHex = request.beaconHex.replace(/^0x/i, "").toLowerCase();
  if (!/^([0-9a-f]{2}){1,255}$/.test(beaconHex))
    throw refused("beacon-invalid", "a beacon is 1 to 255 bytes as hex", { beaconHex });
  if (!Number.isInteger(iterationsExp) || iterationsExp < 10 || iterationsExp > 63)
    throw refused("beacon-invalid", "a beacon is hashed 2^10 to 2^63 times", { iterationsExp });
  const contributions = await checkOpen(fromPath);
  if (contributions.length === 0)
    throw refused("no-contribution", `${fromPath} has no contribution: a beacon alone is a known secret`, {
      fromPath,
    });
  const logger = loggerTo(onProgress, `${fromPath}: beacon`);
  return writeStep(toPath, (path) => zKey.beacon(fromPath, path, name, beaconHex, iterationsExp, logger));
}

/**
 * Checks a key against the circuit, the powers of tau and its contributions. It makes the first key again, which takes
 * as long as `newKey`.
 *
 * @throws RollupError PRV_PTAU_INVALID, PRV_KEY_INVALID
 */
export async function verifyKey(
  circuit: CompiledCircuit,
  { ptauPath, zkeyPath }: { ptauPath: string; zkeyPath: string },
  onProgress: OnProgress = () => {},
): Promise<KeyVerdict> {
  await readZkeyHeader(zkeyPath);
  const contributions = readContributions(zkeyPath);
  await checkPowers(circuit, ptauPath);
  const reasons: string[] = [];
  const logger = {
    ...loggerTo(onProgress, `${circuit.name}: verification`),
    error: (text: string) => reasons.push(text),
  };
  const verify = () => zKey.verifyFromR1cs(circuit.r1csPath, ptauPath, zkeyPath, logger);
  const isValid = await withSnarkjs(verify).catch((error: unknown) => {
    // snarkjs throws on keys that do not fit the circuit at all.
    reasons.push(error instanceof Error ? error.message : String(error));
    return false;
  });
  // snarkjs prints these reasons to the console alone.
  if (!isValid && reasons.length === 0)
    reasons.push("a contribution does not follow from the ones before it");
  return { isValid, contributions, reasons };
}

/** Checks that the powers of tau have a contribution, and are enough. */
async function checkPowers(circuit: CompiledCircuit, ptauPath: string): Promise<void> {
  const { power } = await readPtauHeader(ptauPath);
  const needed = neededPower(circuit);
  if (needed <= power) return;
  throw proverError(
    "PRV_PTAU_INVALID",
    `${circuit.name} needs 2^${needed} powers of tau, and ${ptauPath} has 2^${power}`,
    { data: { reason: "too-small", ptauPath, power, neededPower: needed } },
  );
}

/** Checks that a key can take another contribution. @returns its contributions */
async function checkOpen(zkeyPath: string): Promise<readonly Contribution[]> {
  const { verificationKey } = await readZkeyHeader(zkeyPath);
  // Attack: a key whose secrets are public looks like any other after a contribution.
  if (isDevelopmentKey(verificationKey))
    throw refused("development-key", `${zkeyPath} is a development key: its secrets are public`, {
      zkeyPath,
    });
  const contributions = readContributions(zkeyPath);
  if (contributions.some(({ beacon }) => beacon !== null))
    throw refused("already-ended", `a beacon has ended the ceremony of ${zkeyPath}`, { zkeyPath });
  return contributions;
}

/** Lets snarkjs write a file beside the target, because it empties its output file before it can fail. */
async function writeStep(
  zkeyPath: string,
  write: (path: string) => Promise<Uint8Array | false | -1>,
): Promise<KeyStep> {
  refuseExisting(zkeyPath);
  await mkdir(dirname(resolve(zkeyPath)), { recursive: true });
  const partPath = `${zkeyPath}.${randomBytes(6).toString("hex")}.part`;
  try {
    const hash = await withSnarkjs(() => write(partPath));
    if (!(hash instanceof Uint8Array))
      throw refused("snarkjs-failed", `snarkjs did not write ${zkeyPath}`, { zkeyPath });
    await readZkeyHeader(partPath);
    const contributions = readContributions(partPath);
    const file = await open(partPath, "r+");
    await file.sync().finally(() => file.close());
    refuseExisting(zkeyPath);
    await rename(partPath, zkeyPath);
    return { zkeyPath, contributions };
  } finally {
    await rm(partPath, { force: true });
  }
}

/** @throws RollupError PRV_CEREMONY_REFUSED if there is something */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw refused("target-exists", `${path} exists, and is not overwritten`, { path });
}

const MIN_PROGRESS_INTERVAL_MS = 1_000;

/** Logger for snarkjs, which logs each piece of its work as "debug": passes on at most one line a second. */
function loggerTo(onProgress: OnProgress, title: string): SnarkjsLogger {
  let lastAtMs = 0;
  const debug = (text: string) => {
    const nowMs = performance.now();
    if (nowMs - lastAtMs < MIN_PROGRESS_INTERVAL_MS) return;
    lastAtMs = nowMs;
    onProgress(`${title}: ${text}`);
  };
  return { info() {}, debug, warn: onProgress, error: onProgress };
}

/** Reasons of a refusal for programs, as `data.reason`. */
type Refusal =
  | "already-ended"
  | "beacon-invalid"
  | "development-key"
  | "name-invalid"
  | "no-contribution"
  | "no-keys"
  | "snarkjs-failed"
  | "target-exists";

export function refused(reason: Refusal, message: string, data: object) {
  return proverError("PRV_CEREMONY_REFUSED", message, { data: { reason, ...data } });
}
