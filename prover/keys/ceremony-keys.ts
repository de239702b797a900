/**
 * A ceremony's steps for all circuits of a rollup: a folder has a folder for each circuit, in the form that
 * provers and `deploy` read. A single zkey file goes through the same steps; its circuit is its name up to the
 * first dot. `openledger ceremony` runs them.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type CircuitSpec,
  type CompiledCircuit,
  compileCircuit,
} from "@openledger/circuits/compiler/compile";
import { type KeyMeta, parseKeyMeta } from "../formats/key-meta.ts";
import { checkVerificationKey, toSnarkjsKey } from "../formats/verification-key.ts";
import { hashKeyFile, readZkeyHeader } from "../formats/zkey-file.ts";
import { unreadableKey } from "../formats/zkey-header.ts";
import {
  applyBeacon,
  type Beacon,
  contributeToKey,
  type KeyStep,
  type KeyVerdict,
  newKey,
  type OnProgress,
  refused,
  refuseExisting,
  verifyKey,
} from "./ceremony.ts";
import { withSnarkjs } from "./with-snarkjs.ts";

/** Finds a circuit by its name. */
export type ResolveCircuit = (name: string) => CircuitSpec;

interface CircuitKey {
  readonly circuitName: string;
  readonly zkeyPath: string;
}

export type CircuitStep = KeyStep & CircuitKey;
export type CircuitVerdict = KeyVerdict & CircuitKey;

/**
 * Writes a folder with the first key of each circuit.
 *
 * @throws RollupError PRV_PTAU_INVALID, PRV_CEREMONY_REFUSED, CIR_COMPILE_FAILED
 */
export async function newKeys(
  request: {
    circuitNames: readonly string[];
    resolveCircuit: ResolveCircuit;
    ptauPath: string;
    folder: string;
  },
  onProgress: OnProgress = () => {},
): Promise<CircuitStep[]> {
  const { circuitNames, folder, ptauPath, resolveCircuit } = request;
  const specs = circuitNames.map(resolveCircuit);
  return writeFolder(folder, async (draft) => {
    const steps: CircuitStep[] = [];
    for (const spec of specs) {
      const circuit = await compile(spec, onProgress);
      const { contentHash, name } = circuit;
      steps.push(
        await writeKey(draft, { circuitName: name, contentHash }, (zkeyPath) =>
          newKey(circuit, { ptauPath, zkeyPath }, onProgress),
        ),
      );
    }
    return steps;
  });
}

/** A ceremony's files before and after a step: both folders, or both zkey files. */
export interface StepPaths {
  readonly fromPath: string;
  readonly toPath: string;
}

/** Adds one person's secret to each key. @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED */
export function contributeToKeys(
  { name, ...paths }: StepPaths & { name: string },
  onProgress: OnProgress = () => {},
): Promise<CircuitStep[]> {
  return stepEach(paths, (step) => contributeToKey({ ...step, name }, onProgress));
}

/** Ends each key's ceremony with a public value. @throws RollupError PRV_KEY_INVALID, PRV_CEREMONY_REFUSED */
export function applyBeaconToKeys(
  { beaconHex, iterationsExp, ...paths }: StepPaths & Beacon,
  onProgress: OnProgress = () => {},
): Promise<CircuitStep[]> {
  return stepEach(paths, (step) => applyBeacon({ ...step, beaconHex, iterationsExp }, onProgress));
}

/**
 * Verifies each key.
 * @throws RollupError PRV_PTAU_INVALID, PRV_KEY_INVALID, PRV_CEREMONY_REFUSED, CIR_COMPILE_FAILED
 */
export async function verifyKeys(
  request: { path: string; ptauPath: string; resolveCircuit: ResolveCircuit },
  onProgress: OnProgress = () => {},
): Promise<CircuitVerdict[]> {
  const { path, ptauPath, resolveCircuit } = request;
  return withSnarkjs(async () => {
    const verdicts: CircuitVerdict[] = [];
    for (const { circuitName, zkeyPath } of keysOf(path)) {
      const circuit = await compile(resolveCircuit(circuitName), onProgress);
      const verdict = await verifyKey(circuit, { ptauPath, zkeyPath }, onProgress);
      verdicts.push({ circuitName, zkeyPath, ...verdict });
    }
    return verdicts;
  });
}

async function stepEach(
  { fromPath, toPath }: StepPaths,
  step: (paths: StepPaths) => Promise<KeyStep>,
): Promise<CircuitStep[]> {
  const keys = keysOf(fromPath);
  if (!isFolder(fromPath)) {
    const { circuitName } = keys[0]!;
    return [{ circuitName, ...(await step({ fromPath, toPath })) }];
  }
  return writeFolder(toPath, async (draft) => {
    const steps: CircuitStep[] = [];
    for (const { circuitName, zkeyPath } of keys) {
      const { contentHash } = await readMeta(dirname(zkeyPath));
      steps.push(
        await writeKey(draft, { circuitName, contentHash }, (path) =>
          step({ fromPath: zkeyPath, toPath: path }),
        ),
      );
    }
    return steps;
  });
}

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory();

/** Finds the keys of a folder, or of one file. @throws RollupError PRV_CEREMONY_REFUSED if there is none */
function keysOf(path: string): CircuitKey[] {
  if (existsSync(path) && !isFolder(path)) {
    const circuitName = basename(path).split(".")[0]!;
    return [{ circuitName, zkeyPath: path }];
  }
  const entries = existsSync(path) ? readdirSync(path, { withFileTypes: true }) : [];
  const keys = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ circuitName: name, zkeyPath: join(path, name, `${name}.zkey`) }))
    .filter(({ zkeyPath }) => existsSync(zkeyPath))
    .sort((a, b) => a.circuitName.localeCompare(b.circuitName));
  if (keys.length > 0) return keys;
  throw refused("no-keys", `${path} has no keys: name a zkey file, or a folder that ceremony new made`, {
    path,
  });
}

const compile = (spec: CircuitSpec, onProgress: OnProgress): Promise<CompiledCircuit> =>
  compileCircuit(spec, { onProgress });

async function readMeta(folder: string): Promise<KeyMeta> {
  const path = join(folder, "meta.json");
  const meta = parseKeyMeta(await readFile(path, "utf8").catch(() => ""));
  if (meta === null) throw unreadableKey(folder, "meta.json beside it is missing, or no description of it");
  return meta;
}

/** Writes one circuit's folder: the key, `verification-key.json` in snarkjs' form, and `meta.json`. */
async function writeKey(
  draft: string,
  { circuitName, contentHash }: { circuitName: string; contentHash: string },
  write: (zkeyPath: string) => Promise<KeyStep>,
): Promise<CircuitStep> {
  const folder = join(draft, circuitName);
  const zkeyFile = `${circuitName}.zkey`;
  const zkeyPath = join(folder, zkeyFile);
  const { contributions } = await write(zkeyPath);
  const { publicCount, verificationKey } = await readZkeyHeader(zkeyPath);
  // A first key's delta is the generator, as its gamma is: the check refuses that.
  if (contributions.length > 0) checkVerificationKey(verificationKey, publicCount);
  const meta: KeyMeta = {
    name: circuitName,
    contentHash,
    isDevelopment: false,
    setupVersion: 0,
    zkeyFile,
    zkeySha256: await hashKeyFile(zkeyPath),
    zkeyBytes: (await stat(zkeyPath)).size,
    publicCount,
  };
  const writeJson = (name: string, value: object) =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  await writeJson("verification-key.json", toSnarkjsKey(verificationKey));
  await writeJson("meta.json", meta);
  return { circuitName, zkeyPath, contributions };
}

/** Writes a folder beside the target and renames it, so that the target appears whole or not at all. */
async function writeFolder(
  target: string,
  fill: (draft: string) => Promise<CircuitStep[]>,
): Promise<CircuitStep[]> {
  const folder = resolve(target);
  refuseExisting(folder);
  const draft = `${folder}.${randomBytes(6).toString("hex")}.part`;
  await mkdir(draft, { recursive: true });
  try {
    const steps = await withSnarkjs(() => fill(draft));
    refuseExisting(folder);
    await rename(draft, folder);
    return steps.map((step) => {
      const { circuitName, zkeyPath } = step;
      return { ...step, zkeyPath: join(folder, circuitName, basename(zkeyPath)) };
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}
