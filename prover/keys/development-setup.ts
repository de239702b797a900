/**
 * Development setup: Groth16 keys from public secrets, for tests, devnets and rehearsals, as files in a cache.
 * A production key comes from ceremony.ts.
 */
import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bn254 } from "@noble/curves/bn254.js";
import { type CompiledCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { readR1cs } from "@openledger/circuits/compiler/r1cs-reader";
import { type G1Point, realFirst } from "@openledger/circuits/wire/groth16-proof";
import { publishBuild, removeAbandonedBuilds } from "@openledger/foundation/build-cache";
import { writeFileWhole } from "@openledger/foundation/whole-file";
import { fieldBytes, fromBytesLe, scalarModulus, toBytesLe, twoAdicity } from "../formats/bn254-numbers.ts";
import { buildBn254Image } from "../formats/bn254-wasm.ts";
import { type KeyMeta, parseKeyMeta } from "../formats/key-meta.ts";
import {
  checkVerificationKey,
  parseVerificationKey,
  toSnarkjsKey,
  type VerificationKey,
} from "../formats/verification-key.ts";
import { hashKeyFile, readZkeyHeader } from "../formats/zkey-file.ts";
import {
  encodeZkeyFrame,
  g1Bytes,
  g2Bytes,
  layOutZkey,
  type ZkeyLayout,
  zkeySection,
} from "../formats/zkey-layout.ts";
import { loadNativeAddon } from "../native/native-addon.ts";
import { proverError } from "../prover-errors.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { developmentSecrets } from "./development-secrets.ts";
import { chooseWindowBits, type Group, pointBytesOf } from "./fixed-base.ts";
import { publicWiresNatively } from "./native-qap.ts";
import { evaluatePublicWires, type QapRequest, type QapScalars } from "./qap-evaluation.ts";
import { fastPath, type SetupPool, type SetupPoolOptions, shared, withSetupPool } from "./setup-pool.ts";

/**
 * Version of the setup. Increment it if a change of the derivation or of the file's form makes other bytes
 * from the same circuit; old keys are then made again.
 */
const setupVersion = 1;
/** Points of one thread's task. */
const chunkPoints = 8192;
/** Weight of a point of G2 in the progress: an addition there costs about as much as four in G1. */
const g2Weight = 4;

/** Progress: in constraints, in points weighted by group, or in bytes of the file. */
export interface SetupProgress {
  stage: "constraints" | "points" | "hash";
  done: number;
  total: number;
}

export interface DevelopmentSetupOptions extends SetupPoolOptions {
  /** Defaults to .cache/keys in the repository. */
  cacheDir?: string;
  onProgress?: (progress: SetupProgress) => void;
}

/**
 * Makes a circuit's Groth16 keys from secrets that everybody knows (`developmentSecrets`), or takes them
 * from the cache. The same circuit gives the same bytes on every machine.
 *
 * NEVER for production: anyone who knows the secrets can prove falsehoods. The files say so in their names.
 *
 * Writes `<name>.INSECURE-DEVELOPMENT.zkey`, `verification-key.json` (snarkjs' form) and `meta.json` into
 * `<cacheDir>/<name>-<content hash>/`, which appears whole or not at all.
 *
 * @throws RollupError PRV_CIRCUIT_UNSUPPORTED, PRV_WORKER_DIED, CIR_R1CS_MALFORMED
 */
export async function developmentSetup(
  circuit: Pick<CompiledCircuit, "name" | "contentHash" | "r1csPath" | "wasmPath">,
  options: DevelopmentSetupOptions = {},
): Promise<ProvingCircuit> {
  const cacheDir = resolve(repositoryRoot, options.cacheDir ?? ".cache/keys");
  const entryDir = join(cacheDir, entryName(circuit));
  const cached = await readEntry(entryDir, circuit);
  if (cached !== null) return cached;

  await removeAbandonedBuilds(cacheDir);
  const buildDir = join(cacheDir, `.build-${process.pid}-${randomBytes(6).toString("hex")}`);
  await mkdir(buildDir, { recursive: true });
  try {
    await buildEntry(buildDir, circuit, options);
    await publishBuild(buildDir, entryDir, async () => (await readEntry(entryDir, circuit)) !== null);
  } finally {
    await rm(buildDir, { recursive: true, force: true });
  }
  const built = await readEntry(entryDir, circuit);
  if (built !== null) return built;
  throw proverError("PRV_WORKER_DIED", `the keys of ${circuit.name} vanished while they were written`, {
    data: { name: circuit.name, entryDir },
  });
}

/** Files of a circuit's development key after its setup. */
interface DevelopmentKey {
  readonly verificationKey: VerificationKey;
  readonly zkeyPath: string;
  /** Path of an existing file in snarkjs' form. */
  readonly verificationKeyPath: string;
}

/**
 * Makes the verification key that `developmentSetup` makes of the circuit, without the proving key: for verification,
 * or for the deployment of a circuit that nobody may ever prove with. It takes a fraction of the time; `zkeyPath`
 * names a file only once `developmentSetup` made it.
 *
 * @param options trustsCachedKey: whether a key of an earlier call may be taken; default: true
 * @throws RollupError PRV_CIRCUIT_UNSUPPORTED, CIR_R1CS_MALFORMED
 */
export async function developmentVerificationKey(
  circuit: Pick<CompiledCircuit, "name" | "contentHash" | "r1csPath" | "wasmPath">,
  options: Pick<DevelopmentSetupOptions, "cacheDir"> & { readonly trustsCachedKey?: boolean } = {},
): Promise<DevelopmentKey> {
  const trustsCachedKey = options.trustsCachedKey ?? true;
  const cacheDir = resolve(repositoryRoot, options.cacheDir ?? ".cache/keys");
  const entryDir = join(cacheDir, entryName(circuit));
  const zkeyPath = join(entryDir, zkeyFileName(circuit.name));
  const cached = trustsCachedKey ? await readEntry(entryDir, circuit) : null;
  if (cached !== null) {
    const verificationKeyPath = join(entryDir, "verification-key.json");
    return { verificationKey: cached.verificationKey, zkeyPath, verificationKeyPath };
  }
  const folder = join(cacheDir, "verification");
  const path = join(folder, `${entryName(circuit)}-${setupVersion}.json`);
  const known = trustsCachedKey ? await readFile(path, "utf8").catch(() => null) : null;
  if (known !== null)
    return { verificationKey: parseVerificationKey(JSON.parse(known)), zkeyPath, verificationKeyPath: path };
  const secrets = developmentSecrets(circuit.contentHash);
  const request = { ...readCircuitSizes(circuit), r1csPath: circuit.r1csPath, secrets };
  const scalars =
    fastPath() === null
      ? evaluatePublicWires(await buildBn254Image(), request)
      : publicWiresNatively(loadNativeAddon(), request);
  const g1 = (scalar: bigint): G1Point => {
    const { x, y } = bn254.G1.Point.BASE.multiply(scalar).toAffine();
    return [x, y];
  };
  const g2 = (scalar: bigint) => {
    const { x, y } = bn254.G2.Point.BASE.multiply(scalar).toAffine();
    return realFirst([x.c0, x.c1], [y.c0, y.c1]);
  };
  const verificationKey: VerificationKey = {
    alpha: g1(secrets.alpha),
    beta: g2(secrets.beta),
    gamma: g2(1n),
    delta: g2(secrets.delta),
    ic: Array.from({ length: request.publicCount + 1 }, (_, i) =>
      g1(fromBytesLe(scalars.subarray(i * fieldBytes, (i + 1) * fieldBytes))),
    ),
  };
  await writeFileWhole(path, `${JSON.stringify(toSnarkjsKey(verificationKey), null, 2)}\n`);
  return { verificationKey, zkeyPath, verificationKeyPath: path };
}

const entryName = ({ contentHash, name }: Pick<CompiledCircuit, "name" | "contentHash">): string =>
  `${name}-${contentHash.slice(0, 24)}`;

function zkeyFileName(name: string): string {
  return `${name}.INSECURE-DEVELOPMENT.zkey`;
}

async function buildEntry(
  buildDir: string,
  circuit: Pick<CompiledCircuit, "name" | "contentHash" | "r1csPath">,
  options: DevelopmentSetupOptions,
): Promise<void> {
  const zkeyPath = join(buildDir, zkeyFileName(circuit.name));
  const file = await open(zkeyPath, "w+");
  try {
    await writeDevelopmentZkey(file, circuit, options);
  } finally {
    await file.close();
  }
  const { size: zkeyBytes } = await stat(zkeyPath);
  options.onProgress?.({ stage: "hash", done: 0, total: zkeyBytes });
  const header = await readZkeyHeader(zkeyPath);
  checkVerificationKey(header.verificationKey, header.publicCount);
  const meta: KeyMeta = {
    name: circuit.name,
    contentHash: circuit.contentHash,
    isDevelopment: true,
    setupVersion,
    zkeyFile: zkeyFileName(circuit.name),
    zkeySha256: await hashKeyFile(zkeyPath),
    zkeyBytes,
    publicCount: header.publicCount,
  };
  const write = (name: string, value: object) =>
    writeFile(join(buildDir, name), `${JSON.stringify(value, null, 2)}\n`);
  await write("verification-key.json", toSnarkjsKey(header.verificationKey));
  await write("meta.json", meta);
  options.onProgress?.({ stage: "hash", done: zkeyBytes, total: zkeyBytes });
}

/** @throws RollupError PRV_CIRCUIT_UNSUPPORTED, CIR_R1CS_MALFORMED */
function readCircuitSizes({ name, r1csPath }: Pick<CompiledCircuit, "name" | "r1csPath">) {
  const { constraintCount, prime, publicInputCount, publicOutputCount, wireCount } = readR1cs(r1csPath);
  const publicCount = publicOutputCount + publicInputCount;
  const power = Math.max(1, Math.ceil(Math.log2(constraintCount + publicCount + 1)));
  if (prime !== scalarModulus || power + 1 > twoAdicity) {
    throw proverError("PRV_CIRCUIT_UNSUPPORTED", `${name} is not over bn254, or is too large`, {
      data: { name, prime, power, maxPower: twoAdicity - 1 },
    });
  }
  return { constraintCount, domainSize: 2 ** power, publicCount, wireCount };
}

async function writeDevelopmentZkey(
  file: FileHandle,
  circuit: Pick<CompiledCircuit, "name" | "contentHash" | "r1csPath">,
  options: DevelopmentSetupOptions,
): Promise<void> {
  const { constraintCount, domainSize, publicCount, wireCount } = readCircuitSizes(circuit);
  const onProgress = options.onProgress ?? (() => {});
  const secrets = developmentSecrets(circuit.contentHash);
  const shape = { wireCount, publicCount, domainSize, coefficientCount: 0 };
  const scalars: QapScalars = {
    a: shared(wireCount * fieldBytes),
    b: shared(wireCount * fieldBytes),
    ic: shared(wireCount * fieldBytes),
    h: shared(domainSize * fieldBytes),
  };
  const request: QapRequest = {
    r1csPath: circuit.r1csPath,
    wireCount,
    publicCount,
    constraintCount,
    domainSize,
    secrets,
    zkeyFd: file.fd,
    // Sections 1 to 3 in front have sizes that the header gives.
    coefficientsAt: layOutZkey(shape).positions[zkeySection.coefficients]! + 4,
    scalars,
  };

  await withSetupPool(async (pool) => {
    const onPart = (done: number) => onProgress({ stage: "constraints", done, total: constraintCount });
    const [points, coefficientCount] = await Promise.all([
      headerPoints(pool, secrets, wireCount),
      pool.run("evaluate", request, { onPart }),
    ]);
    shape.coefficientCount = coefficientCount;
    const layout = layOutZkey(shape);
    const circuitHash = createHash("sha512")
      .update(`openledger INSECURE DEVELOPMENT key ${circuit.contentHash}`)
      .digest();
    for (const { position, bytes } of encodeZkeyFrame(shape, points, circuitHash))
      await file.write(bytes, 0, bytes.length, position);
    await multiplyAll(pool, file.fd, layout, scalars, publicCount, onProgress);
  }, options);
}

async function headerPoints(
  pool: SetupPool,
  secrets: { alpha: bigint; beta: bigint; delta: bigint },
  wireCount: number,
) {
  const scalars = Buffer.concat([1n, secrets.alpha, secrets.beta, secrets.delta].map(toBytesLe));
  const multiply = async (group: Group) =>
    (await pool.run("multiply", {
      group,
      windowBits: chooseWindowBits(group, wireCount),
      scalars,
      target: null,
    }))!;
  const [g1, g2] = await Promise.all([multiply("g1"), multiply("g2")]);
  const pick = (points: Uint8Array, pointBytes: number, index: number) =>
    points.subarray(index * pointBytes, (index + 1) * pointBytes);
  return {
    alpha1: pick(g1, g1Bytes, 1),
    beta1: pick(g1, g1Bytes, 2),
    beta2: pick(g2, g2Bytes, 2),
    gamma2: pick(g2, g2Bytes, 0),
    delta1: pick(g1, g1Bytes, 3),
    delta2: pick(g2, g2Bytes, 3),
  };
}

async function multiplyAll(
  pool: SetupPool,
  fd: number,
  layout: ZkeyLayout,
  scalars: QapScalars,
  publicCount: number,
  onProgress: (progress: SetupProgress) => void,
): Promise<void> {
  const icBytes = (publicCount + 1) * fieldBytes;
  const parts: { section: number; group: Group; scalars: Uint8Array }[] = [
    { section: zkeySection.b2, group: "g2", scalars: scalars.b },
    { section: zkeySection.ic, group: "g1", scalars: scalars.ic.subarray(0, icBytes) },
    { section: zkeySection.a, group: "g1", scalars: scalars.a },
    { section: zkeySection.b1, group: "g1", scalars: scalars.b },
    { section: zkeySection.c, group: "g1", scalars: scalars.ic.subarray(icBytes) },
    { section: zkeySection.h, group: "g1", scalars: scalars.h },
  ];
  const weigh = (group: Group, byteCount: number) =>
    (byteCount / fieldBytes) * (group === "g2" ? g2Weight : 1);
  const total = parts.reduce((sum, part) => sum + weigh(part.group, part.scalars.length), 0);
  let done = 0;
  const tasks: Promise<void>[] = [];
  for (const part of parts) {
    const pointBytes = pointBytesOf(part.group);
    for (let at = 0; at < part.scalars.length; at += chunkPoints * fieldBytes) {
      const chunk = part.scalars.subarray(at, at + chunkPoints * fieldBytes);
      const position = layout.positions[part.section]! + (at / fieldBytes) * pointBytes;
      const { group } = part;
      const windowBits = chooseWindowBits(group, scalars.a.length / fieldBytes);
      const task = pool.run("multiply", {
        group,
        windowBits,
        scalars: chunk,
        target: { fd, position },
      });
      tasks.push(
        task.then(() => {
          done += weigh(part.group, chunk.length);
          onProgress({ stage: "points", done, total });
        }),
      );
    }
  }
  await Promise.all(tasks);
}

async function readEntry(
  entryDir: string,
  circuit: Pick<CompiledCircuit, "name" | "contentHash" | "wasmPath">,
): Promise<ProvingCircuit | null> {
  let text: string;
  try {
    text = await readFile(join(entryDir, "meta.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const meta = parseKeyMeta(text);
  const isCurrent = meta?.setupVersion === setupVersion && meta.contentHash === circuit.contentHash;
  if (!isCurrent) return null;
  const zkeyPath = join(entryDir, meta.zkeyFile);
  const size = await stat(zkeyPath).then(
    (found) => found.size,
    () => -1,
  );
  if (size !== meta.zkeyBytes) return null;
  const { verificationKey } = await readZkeyHeader(zkeyPath);
  return {
    name: circuit.name,
    wasmPath: circuit.wasmPath,
    zkeyPath,
    verificationKey,
    contentHash: circuit.contentHash,
    isDevelopment: true,
  };
}
