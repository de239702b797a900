/**
 * Keys of a whole ceremony, by the same functions and commands as `npm run ceremony`: powers of tau with a contribution, their
 * preparation, and of each circuit two contributions and a beacon. One machine drew all the secrets, so they convince nobody
 * but the rehearsal. Every contributor's name says so, and `deploy` refuses such keys on public chains.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CompiledCircuit, compileCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import {
  applyBeacon,
  contributeToKey,
  exportKey,
  logShare,
  neededPower,
  REHEARSAL,
  startKey,
} from "@openledger/prover/keys/ceremony";
import { contributeToPowers } from "@openledger/prover/powers/contribute-powers";
import { preparePowers } from "@openledger/prover/powers/prepare-powers";
import { WORLD_SIZES } from "../../world/circuits.ts";

/** The smallest set with which everything can be done, the largest first. */
export const CIRCUITS = [shapeName(WORLD_SIZES.get(2)!.shape), "payee-exit-4", "leaf-exit"];
const CACHE = join(repositoryRoot, ".cache", "rehearsed-keys");
const CONTRIBUTORS = ["Ada", "Ben"];
export const BEACON = {
  beaconHex: "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054",
  iterationsExp: 10,
};

type Tell = (text: string) => void;

export interface RehearsedKeys {
  /** As a deployment's configuration has them. */
  readonly keys: { readonly folder: string; readonly ptau: string; readonly leastContributions: number };
  readonly largestPower: number;
}

interface CircuitCeremony {
  readonly circuitName: string;
  readonly ptauPath: string;
  /** To make. */
  readonly keyFolder: string;
}

/**
 * Some minutes, and seconds where they are kept.
 *
 * @param folder where to make them; null: in the cache, where they stay
 * @param ofSmallest makes the key of the smallest circuit in another way
 */
export async function rehearsedKeys(
  folder: string | null,
  tell: Tell,
  ofSmallest: (ceremony: CircuitCeremony) => Promise<void> = (ceremony) => ceremonyOf(ceremony, tell),
): Promise<RehearsedKeys> {
  const circuits: CompiledCircuit[] = [];
  for (const name of CIRCUITS) circuits.push(await compileCircuit(circuitSpec(name)));
  const largestPower = Math.max(...circuits.map(neededPower));
  const contents = createHash("sha256").update(
    JSON.stringify(circuits.map(({ contentHash }) => contentHash)),
  );
  const root = folder ?? join(CACHE, contents.digest("hex").slice(0, 24));
  await mkdir(join(root, "keys"), { recursive: true });
  const ptauPath = join(root, `pot${largestPower}.ptau`);
  if (!existsSync(ptauPath)) await powers(ptauPath, largestPower, tell);
  for (const circuitName of CIRCUITS) {
    const ceremony = { circuitName, ptauPath, keyFolder: join(root, "keys", circuitName) };
    if (existsSync(ceremony.keyFolder)) continue;
    await (circuitName === CIRCUITS.at(-1) ? ofSmallest(ceremony) : ceremonyOf(ceremony, tell));
  }
  const keys = { folder: join(root, "keys"), ptau: ptauPath, leastContributions: CONTRIBUTORS.length + 1 };
  return { keys, largestPower };
}

async function powers(path: string, power: number, tell: Tell): Promise<void> {
  const contributed = `${path}.contributed`;
  await rm(contributed, { force: true });
  tell(`powers of tau for 2^${power} constraints`);
  await contributeToPowers(power, contributed, `${REHEARSAL}: ${CONTRIBUTORS[0]}`);
  tell("preparing them for phase 2");
  await preparePowers(contributed, path, logShare({ onLog: tell }, "preparing for phase 2"));
  await rm(contributed);
}

/** Each step is kept until the last one is done: what was cut off goes on there. */
async function ceremonyOf({ circuitName, keyFolder, ptauPath }: CircuitCeremony, tell: Tell): Promise<void> {
  const parts: string[] = [];
  const step = async (title: string, make: (from: string, to: string) => Promise<unknown>) => {
    const [from = "", to] = [parts.at(-1), `${keyFolder}.${parts.length}.zkey`];
    parts.push(to);
    if (existsSync(to)) return;
    tell(`${circuitName}: ${title}`);
    await make(from, to);
  };
  const request = { circuitName, resolveCircuit: circuitSpec, ptauPath };
  await step("its first key", (_, zkeyPath) => startKey({ ...request, zkeyPath }));
  for (const name of CONTRIBUTORS)
    await step(`${name} contributes`, (fromPath, toPath) =>
      contributeToKey({ fromPath, toPath, contributorName: `${REHEARSAL}: ${name}` }),
    );
  await step("the beacon", (fromPath, toPath) =>
    applyBeacon({ fromPath, toPath, ...BEACON, name: `${REHEARSAL}: beacon` }),
  );
  tell(`${circuitName}: verifying all contributions`);
  // Against the first key: deploy makes that one once more, from the circuit.
  const [firstKeyPath, zkeyPath] = [parts[0]!, parts.at(-1)!];
  await exportKey({ ...request, zkeyPath, folder: keyFolder, firstKeyPath });
  for (const path of parts) await rm(path, { force: true });
}
