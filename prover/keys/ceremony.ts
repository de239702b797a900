import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type CircuitSpec,
  type CompiledCircuit,
  compileCircuit,
} from "@openledger/circuits/compiler/compile";
import { type SnarkjsLogger, zKey } from "snarkjs";
import { contributorName } from "../ceremony/ceremony-api.ts";
import { contributeInTurns } from "../ceremony/contribute.ts";
import { recordBytes } from "../ceremony/contribution-record.ts";
import type { KeyMeta } from "../formats/key-meta.ts";
import { readPtauHeader } from "../formats/ptau-file.ts";
import {
  checkVerificationKey,
  solidityKeyToJson,
  toSnarkjsKey,
  toSolidityKey,
  type VerificationKey,
} from "../formats/verification-key.ts";
import { hashKeyFile, readZkeyHeader } from "../formats/zkey-file.ts";
import { proverError } from "../prover-errors.ts";
import { developmentSetup } from "./development-setup.ts";
import { makeFirstKey } from "./first-key.ts";
import { readContributions, readRound, writeRoundKey } from "./round-key.ts";

/**
 * The second phase of a Groth16 setup for one circuit, in snarkjs' files: `startKey`, then any number of
 * `contributeToKey` by different people, then `applyBeacon`, then `exportKey`. The key is sound if one
 * contributor, and one of the powers-of-tau file's, forgot their secret (docs/how-to/keys.md).
 */
export interface CeremonyOptions {
  /** How far it is, and lines of snarkjs and the compiler. */
  onLog?: (line: string) => void;
}

/** Names of those who contribute to a rehearsal begin with it. Its keys are refused on public chains. */
export const REHEARSAL = "rehearsal";

/** A rehearsal's keys, whose secrets one machine drew. @throws RollupError PRV_KEY_INVALID */
export const isRehearsed = (zkeyPath: string): boolean =>
  readContributions(zkeyPath).records.some(({ name }) => name.startsWith(REHEARSAL));

/** The least power of two of a powers-of-tau file that a circuit's key can be made from. */
export const neededPower = ({ constraintCounts, publicCount }: CompiledCircuit): number =>
  Math.ceil(Math.log2(constraintCounts.nonLinear + constraintCounts.linear + publicCount + 1));

/** Finds a circuit by its name. */
export type ResolveCircuit = (name: string) => CircuitSpec;

/** The circuit to work on, and how to find it. */
export interface CeremonyCircuit {
  circuitName: string;
  resolveCircuit: ResolveCircuit;
  ptauPath: string;
}

export interface KeyStep {
  zkeyPath: string;
  /** Contributions in the written key, a beacon included. */
  contributionCount: number;
  /** What contributors publish and compare, hex: of the circuit for a new key, else of the contribution. */
  hash: string;
}

/**
 * Writes a circuit's first key, which has no contribution and must not be used.
 *
 * @throws RollupError PRV_PTAU_INVALID,
 * PRV_CEREMONY_REFUSED, CIR_COMPILE_FAILED
 */
export async function startKey(
  request: CeremonyCircuit & { zkeyPath: string },
  options: CeremonyOptions = {},
): Promise<KeyStep> {
  const circuit = await prepare(request, options);
  return writeStep(request.zkeyPath, async (path) => {
    const { bytes, circuitHash } = await firstKeyOf(circuit, request, options);
    await writeFile(path, bytes);
    return circuitHash;
  });
}

/**
 * Adds one person's secret, drawn from this machine's randomness and `entropy` together, and forgets it.
 *
 * @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED
 */
export async function contributeToKey(
  request: { fromPath: string; toPath: string; contributorName: string; entropy?: string },
  options: CeremonyOptions = {},
): Promise<KeyStep> {
  const { contributorName: name, fromPath, toPath } = request;
  const { records, ...first } = await readRound(fromPath);
  if (records.some(({ isBeacon }) => isBeacon))
    throw refused(`a beacon has ended the ceremony of ${fromPath}`, { fromPath });
  if (!contributorName.safeParse(name).success)
    throw refused("a name is at most 64 bytes of visible characters", { name });
  return writeStep(toPath, async (path) => {
    const entropy = new TextEncoder().encode(request.entropy);
    const work = { ...first, records: records.map(({ record }) => record), entropy };
    const { hash, round } = await contributeInTurns(work, logShare(options, `${name} contributes`));
    writeRoundKey(
      fromPath,
      first.shape,
      round,
      [...records, { name, record: round.slice(0, recordBytes) }],
      path,
    );
    return hash;
  });
}

/**
 * Adds a public value that nobody could foresee when the last contribution was made, as the end of the
 * ceremony: then the last contributor could not choose the result.
 *
 * @param request.beaconHex 1 to 255 bytes as hex, for example a block hash announced beforehand
 * @param request.iterationsExp the value is hashed 2^iterationsExp times, 10 to 63
 * @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED
 */
export async function applyBeacon(
  request: { fromPath: string; toPath: string; beaconHex: string; iterationsExp: number; name?: string },
  options: CeremonyOptions = {},
): Promise<KeyStep> {
  const { beaconHex, iterationsExp } = request;
  if (!/^([0-9a-f]{2}){1,255}$/i.test(beaconHex)) {
    throw refused("a beacon is 1 to 255 bytes as hex without 0x", { beaconHex });
  }
  if (!Number.isInteger(iterationsExp) || iterationsExp < 10 || iterationsExp > 63) {
    throw refused("a beacon is hashed 2^10 to 2^63 times", { iterationsExp });
  }
  const { contributionCount } = await readZkeyHeader(request.fromPath);
  if (contributionCount === 0) {
    throw refused("a beacon is public: a key with nothing else has a known secret", {
      fromPath: request.fromPath,
    });
  }
  return writeStep(request.toPath, (path) =>
    zKey.beacon(request.fromPath, path, request.name ?? "beacon", beaconHex, iterationsExp, logTo(options)),
  );
}

export interface KeyVerdict {
  isValid: boolean;
  contributionCount: number;
  /** What snarkjs said against the key. */
  reasons: string[];
}

/**
 * Whether a key follows from the circuit, the powers of tau and its contributions. Takes as long as making
 * the first key, unless you have it.
 *
 * @param request.firstKeyPath what `startKey` wrote here: it is taken at its word
 * @throws RollupError as startKey, and PRV_KEY_INVALID
 */
export async function verifyKey(
  request: CeremonyCircuit & { zkeyPath: string; firstKeyPath?: string },
  options: CeremonyOptions = {},
): Promise<KeyVerdict> {
  const { firstKeyPath, ptauPath, zkeyPath } = request;
  const { contributionCount } = await readZkeyHeader(request.zkeyPath);
  const circuit = await prepare(request, options);
  const made = async () => ({
    type: "mem" as const,
    data: (await firstKeyOf(circuit, request, options)).bytes,
  });
  const first = firstKeyPath ?? (await made());
  const reasons: string[] = [];
  const logger = logTo(options);
  const collect = (text: string) => {
    reasons.push(text);
    logger.error(text);
  };
  const heard = { ...logger, error: collect };
  const isValid = await withSnarkjs(() => zKey.verifyFromInit(first, ptauPath, zkeyPath, heard)).catch(
    (error: unknown) => {
      // snarkjs throws on keys that do not fit the circuit at all
      collect(error instanceof Error ? error.message : String(error));
      return false;
    },
  );
  return { isValid, contributionCount, reasons };
}

/**
 * Verifies a finished key and writes the folder that the prover and the deployment read:
 * `<circuit>.zkey`, `verification-key.json` (snarkjs' form), `solidity-key.json` and `meta.json`.
 *
 * @throws RollupError as verifyKey, and PRV_CEREMONY_REFUSED for a key without contributions, one that does
 * not verify, or a folder that exists
 */
export async function exportKey(
  request: CeremonyCircuit & { zkeyPath: string; folder: string; firstKeyPath?: string },
  options: CeremonyOptions = {},
): Promise<{ folder: string; meta: KeyMeta }> {
  const { circuitName, zkeyPath } = request;
  const folder = resolve(request.folder);
  if (existsSync(folder)) throw refused(`${folder} exists`, { folder });
  const header = await readZkeyHeader(zkeyPath);
  if (header.contributionCount === 0) throw refused(`no contribution was made to ${zkeyPath}`, { zkeyPath });
  const verdict = await verifyKey(request, options);
  if (!verdict.isValid) throw refused(`${zkeyPath} does not verify`, { zkeyPath, reasons: verdict.reasons });
  checkVerificationKey(header.verificationKey, header.publicCount);

  const { contentHash } = await compileCircuit(request.resolveCircuit(circuitName));
  const meta = await describeKey({
    name: circuitName,
    contentHash,
    isDevelopment: false,
    zkeyFile: `${circuitName}.zkey`,
    zkeyPath,
    publicCount: header.publicCount,
  });
  await writeKeyFolder(folder, meta, zkeyPath, header.verificationKey);
  return { folder, meta };
}

/**
 * The same folder for a development key, from the same code. The key's file keeps INSECURE-DEVELOPMENT in its name,
 * and `solidity-key.json` says isDevelopment, with which the contracts refuse it off chain 31337.
 *
 * @throws RollupError as developmentSetup, and PRV_CEREMONY_REFUSED for a folder that exists
 */
export async function exportDevelopmentKey(
  request: { circuitName: string; resolveCircuit: ResolveCircuit; folder: string },
  options: CeremonyOptions = {},
): Promise<{ folder: string; meta: KeyMeta }> {
  const { circuitName } = request;
  const folder = resolve(request.folder);
  if (existsSync(folder)) throw refused(`${folder} exists`, { folder });
  const circuit = await compileCircuit(request.resolveCircuit(circuitName), {
    onProgress: options.onLog ?? (() => {}),
  });
  const { zkeyPath, contentHash } = await developmentSetup(circuit);
  const header = await readZkeyHeader(zkeyPath);
  const meta = await describeKey({
    name: circuitName,
    contentHash,
    isDevelopment: true,
    zkeyFile: basename(zkeyPath),
    zkeyPath,
    publicCount: header.publicCount,
  });
  await writeKeyFolder(folder, meta, zkeyPath, header.verificationKey);
  return { folder, meta };
}

async function describeKey(
  key: Pick<KeyMeta, "name" | "contentHash" | "isDevelopment" | "zkeyFile" | "publicCount"> & {
    zkeyPath: string;
  },
): Promise<KeyMeta> {
  const { zkeyPath, ...rest } = key;
  return {
    ...rest,
    setupVersion: 0,
    zkeySha256: await hashKeyFile(zkeyPath),
    zkeyBytes: (await stat(zkeyPath)).size,
  };
}

/** Writes a key's folder, which appears whole or not at all. */
async function writeKeyFolder(
  folder: string,
  meta: KeyMeta,
  zkeyPath: string,
  verificationKey: VerificationKey,
): Promise<void> {
  const buildFolder = `${folder}.${randomBytes(6).toString("hex")}`;
  await mkdir(buildFolder, { recursive: true });
  try {
    await copyFile(zkeyPath, join(buildFolder, meta.zkeyFile));
    const write = (name: string, value: object) =>
      writeFile(join(buildFolder, name), `${JSON.stringify(value, null, 2)}\n`);
    await write("verification-key.json", toSnarkjsKey(verificationKey));
    await write("solidity-key.json", solidityKeyToJson(toSolidityKey(verificationKey), meta.isDevelopment));
    await write("meta.json", meta);
    await rename(buildFolder, folder);
  } finally {
    await rm(buildFolder, { recursive: true, force: true });
  }
}

/** Compiles the circuit and checks the powers of tau against it. */
async function prepare(request: CeremonyCircuit, options: CeremonyOptions): Promise<CompiledCircuit> {
  const { power } = await readPtauHeader(request.ptauPath);
  const onProgress = options.onLog ?? (() => {});
  const circuit = await compileCircuit(request.resolveCircuit(request.circuitName), { onProgress });
  const needed = neededPower(circuit);
  if (needed > power) {
    throw proverError(
      "PRV_PTAU_INVALID",
      `${request.circuitName} needs 2^${needed} powers of tau, and ${request.ptauPath} has 2^${power}`,
      { data: { reason: "too-small", ptauPath: request.ptauPath, power, neededPower: needed } },
    );
  }
  return circuit;
}

const firstKeyOf = (circuit: CompiledCircuit, { ptauPath }: CeremonyCircuit, options: CeremonyOptions) =>
  makeFirstKey(circuit, ptauPath, logShare(options, `${circuit.name}: its first key`));

/** Lets snarkjs write to a file beside the target, which appears whole or not at all. */
async function writeStep(
  zkeyPath: string,
  write: (path: string) => Promise<Uint8Array | false | -1>,
): Promise<KeyStep> {
  if (existsSync(zkeyPath)) throw refused(`${zkeyPath} exists, and may be a contribution`, { zkeyPath });
  await mkdir(dirname(resolve(zkeyPath)), { recursive: true });
  const buildPath = `${zkeyPath}.${randomBytes(6).toString("hex")}`;
  try {
    const hash = await withSnarkjs(() => write(buildPath));
    if (!(hash instanceof Uint8Array)) throw refused("snarkjs refused the step; see its log", { zkeyPath });
    const { contributionCount } = await readZkeyHeader(buildPath);
    await rename(buildPath, zkeyPath);
    return { zkeyPath, contributionCount, hash: Buffer.from(hash).toString("hex") };
  } finally {
    await rm(buildPath, { force: true });
  }
}

/** Runs a step, then ends the threads that snarkjs leaves behind and that would hold the process. */
async function withSnarkjs<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } finally {
    await (globalThis as { curve_bn128?: { terminate(): Promise<void> } | null }).curve_bn128?.terminate();
  }
}

/** Logs every tenth of long work. */
export function logShare(options: CeremonyOptions, what: string): (done: number, total: number) => void {
  let said = 0;
  return (done, total) => {
    const tenths = Math.floor((10 * done) / total);
    if (tenths > said) options.onLog?.(`${what}: ${10 * tenths} %`);
    said = Math.max(said, tenths);
  };
}

function logTo(options: CeremonyOptions): SnarkjsLogger {
  const log = options.onLog ?? (() => {});
  return { info: log, warn: log, error: log, debug: () => {} };
}

function refused(reason: string, data: object) {
  return proverError("PRV_CEREMONY_REFUSED", `refused: ${reason}`, { data });
}
