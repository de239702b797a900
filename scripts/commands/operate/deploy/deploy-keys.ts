/** Prepares circuits and keys for `openledger deploy`: compiles the circuits and checks every key before anything is sent. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CompiledCircuit, compileCircuit } from "@openledger/circuits/compiler/compile";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { hasOnlyBlobBatches, sizesOfName, twinNameOf } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { type CircuitConfig, computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import { REHEARSAL, verifyKey } from "@openledger/prover/keys/ceremony";
import { type Contribution, readContributions } from "@openledger/prover/keys/contributions";
import { isDevelopmentKey } from "@openledger/prover/keys/development-key";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import type { ProvingCircuit } from "@openledger/prover/proving/prover";
import { loadProductionKey, ProvingKeyChecker } from "@openledger/prover/proving/proving-key";
import type { Chain } from "viem";
import { z } from "zod";
import { operatorError } from "../../../cli/operator-errors.ts";
import type { DeployConfig } from "./deploy-config.ts";

export interface CheckedCircuit {
  readonly config: CircuitConfig;
  readonly record: Deployment["circuits"][number];
  /** null for a development key. */
  readonly contributions: readonly Contribution[] | null;
}

/**
 * Checks what `openledger deploy` sends to L1 for good: a ceremony's key follows from the circuit's source, the powers of
 * tau and its contributions. What was verified once is noted by the files' hashes in the folder, and not done again.
 *
 * @throws CMD_DEPLOY_REFUSED, PRV_KEY_INVALID, CIR_CIRCUIT_UNKNOWN
 */
export async function checkKeys(
  config: DeployConfig,
  tell: (text: string) => void,
): Promise<CheckedCircuit[]> {
  const { chainId } = config.l1;
  if (config.keys === "development" && chainId !== DEVNET_CHAIN_ID) {
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `the secrets of development keys are public, and chain ${chainId} is not ${DEVNET_CHAIN_ID}: the contract would refuse them, too`,
      { data: { reason: "development-keys", chainId } },
    );
  }
  requirePlainBatch(config.circuits);
  requireTwinKey(config);
  const checked: CheckedCircuit[] = [];
  const verified = new VerifiedKeys(join(config.out, "verified-keys.json"));
  for (const name of config.circuits) {
    tell(`circuit ${name}`);
    const compiled = await compileCircuit(circuitSpec(name));
    const { keys } = config;
    let proving: ProvingCircuit;
    let contributions: readonly Contribution[] | null = null;
    if (keys === "development") proving = await developmentSetup(compiled);
    else {
      proving = await loadProductionKey(compiled, join(keys.folder, name));
      contributions = await checkCeremonyKey(compiled, proving, { chainId, keys, verified }, tell);
    }
    const sizes = sizesOfName(name);
    const key = toSolidityKey(proving.verificationKey);
    const circuit: CircuitConfig = { ...sizes, isDevelopment: proving.isDevelopment, key };
    const { contentHash, isDevelopment, wasmPath, zkeyPath } = proving;
    const verificationKeyPath = join(dirname(zkeyPath), "verification-key.json");
    const paths = { wasmPath, zkeyPath, verificationKeyPath };
    const circuitId = computeCircuitId(circuit);
    checked.push({
      config: circuit,
      record: { name, ...sizes, circuitId, isDevelopment, contentHash, ...paths },
      contributions,
    });
  }
  return checked;
}

/**
 * Checks one circuit's key, the quick checks first.
 *
 * @returns its contributions
 * @throws CMD_DEPLOY_REFUSED with `data.reason`, PRV_KEY_INVALID, PRV_PTAU_INVALID
 */
export async function checkCeremonyKey(
  circuit: CompiledCircuit,
  proving: ProvingCircuit,
  { chainId, keys, verified }: { chainId: number; keys: CeremonyKeys; verified: VerifiedKeys },
  tell: (text: string) => void,
): Promise<readonly Contribution[]> {
  refuseDevelopmentKey(circuit.name, proving);
  const contributions = readContributions(proving.zkeyPath);
  requireContributions(proving, contributions, keys);
  await new ProvingKeyChecker().check(proving);
  await refuseRehearsedKey(proving, contributions, chainId, tell);
  await verified.verify(circuit, proving.zkeyPath, keys.ptau, tell);
  return contributions;
}

/** Refuses a key that nobody contributed to: its secret is known. So is that of one with a beacon alone. */
function requireContributions(
  { name, zkeyPath }: ProvingCircuit,
  contributions: readonly Contribution[],
  { beacon, minContributions }: CeremonyKeys,
): void {
  const count = contributions.filter((one) => one.beacon === null).length;
  const data = { name, zkeyPath, contributionCount: count };
  if (count === 0)
    throw operatorError("CMD_DEPLOY_REFUSED", `nobody contributed to ${zkeyPath}: its secret is known`, {
      data: { reason: "no-contribution", ...data },
    });
  if (count < minContributions)
    throw operatorError(
      "CMD_DEPLOY_REFUSED",
      `${zkeyPath} has ${count} contributions, and ${minContributions} are asked for`,
      { data: { reason: "too-few-contributions", ...data, minContributions } },
    );
  if (beacon === undefined || contributions.at(-1)!.beacon?.hex === beacon) return;
  throw operatorError("CMD_DEPLOY_REFUSED", `${zkeyPath} does not end with the beacon ${beacon}`, {
    data: { reason: "no-beacon", ...data, beacon },
  });
}

/**
 * Batches that strangers post of the queue or of pre-verified settlements stand in calldata. Without a circuit for them nobody
 * but the sequencer can post anything, and a forced withdrawal waits for the freeze.
 */
function requirePlainBatch(names: readonly string[]): void {
  if (!hasOnlyBlobBatches(names.map(sizesOfName))) return;
  throw operatorError(
    "CMD_DEPLOY_REFUSED",
    "all batch circuits use blobs: other accounts could not post the queue without the sequencer",
    { data: { reason: "no-plain-batch", circuits: names } },
  );
}

/** Refuses a ceremony without a key of the twin: said before the other keys are verified, which takes minutes. */
function requireTwinKey({ circuits, keys, twin }: DeployConfig): void {
  const name = twinNameOf(circuits[0]!);
  if (!twin || name === null || keys === "development" || existsSync(join(keys.folder, name))) return;
  throw operatorError(
    "CMD_DEPLOY_REFUSED",
    `${keys.folder} has no key of ${name}, the first circuit's twin: make one in the ceremony, or set "twin": false, and the data of all batches is in one place for good`,
    { data: { reason: "no-twin-key", name, folder: keys.folder } },
  );
}

/** Refuses a development key by its own meta.json, even if the file was renamed. */
function refuseDevelopmentKey(name: string, { verificationKey, zkeyPath }: ProvingCircuit): void {
  if (!isDevelopmentKey(verificationKey)) return;
  throw operatorError("CMD_DEPLOY_REFUSED", `${zkeyPath} is a development key of ${name}, renamed`, {
    data: { reason: "development-keys", name, zkeyPath },
  });
}

/** Refuses keys of a rehearsal, whose secrets one machine drew. Attack: a rehearsal's folder, taken for the ceremony's. */
async function refuseRehearsedKey(
  { name, zkeyPath }: ProvingCircuit,
  contributions: readonly Contribution[],
  chainId: number,
  tell: (text: string) => void,
): Promise<void> {
  if (!contributions.some((one) => one.name.startsWith(REHEARSAL))) return;
  const chainName = await publicChainName(chainId);
  if (chainName === null) return tell(`${name} has the key of a rehearsal: one machine knew its secrets`);
  throw operatorError(
    "CMD_DEPLOY_REFUSED",
    `${zkeyPath} is the key of a rehearsal, whose secrets one machine knew, and chain ${chainId} is ${chainName}`,
    { data: { reason: "rehearsed-keys", name, zkeyPath, chainId } },
  );
}

/** null for a chain that nobody lists, or whose node is on the own machine. */
export async function publicChainName(chainId: number): Promise<string | null> {
  // Only here: a thousand chains take a while to load.
  const chains: readonly Chain[] = Object.values(await import("viem/chains"));
  const isLocal = (url: string) => ["127.0.0.1", "localhost"].includes(new URL(url).hostname);
  const found = chains.find(({ id, rpcUrls }) => id === chainId && !rpcUrls.default.http.some(isLocal));
  return found?.name ?? null;
}

type CeremonyKeys = Exclude<DeployConfig["keys"], "development">;
const verifiedSchema = z.array(
  z.object({ contentHash: z.string(), zkeySha256: z.string(), ptauSha256: z.string() }),
);

/** Verifying takes as long as making the first key: once for the same circuit and files is enough. */
export class VerifiedKeys {
  readonly #path: string;
  #ptauSha256: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws CMD_DEPLOY_REFUSED, PRV_PTAU_INVALID */
  async verify(
    circuit: CompiledCircuit,
    zkeyPath: string,
    ptauPath: string,
    tell: (text: string) => void,
  ): Promise<void> {
    this.#ptauSha256 ??= await sha256Of(ptauPath);
    const { contentHash, name } = circuit;
    const now = { contentHash, zkeySha256: await sha256Of(zkeyPath), ptauSha256: this.#ptauSha256 };
    const known = this.#read();
    if (known.some((one) => JSON.stringify(one) === JSON.stringify(now))) return;
    tell(`verifying the ceremony of ${name}`);
    const { isValid, reasons } = await verifyKey(circuit, { ptauPath, zkeyPath }, tell);
    if (!isValid)
      throw operatorError("CMD_DEPLOY_REFUSED", `${zkeyPath} does not verify: ${reasons.join("; ")}`, {
        data: { reason: "key-refused", name, zkeyPath, reasons },
      });
    await writeFileWhole(this.#path, `${JSON.stringify([...known, now], null, 2)}\n`);
  }

  #read(): z.output<typeof verifiedSchema> {
    const text = readIfPresent(this.#path);
    return text === null ? [] : (verifiedSchema.safeParse(JSON.parse(text)).data ?? []);
  }
}

/** @throws CMD_DEPLOY_REFUSED if it cannot be read */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }))
      hash.update(chunk as Buffer);
  } catch (cause) {
    throw operatorError("CMD_DEPLOY_REFUSED", `${path} cannot be read`, {
      data: { reason: "key-refused", path },
      cause,
    });
  }
  return hash.digest("hex");
}
