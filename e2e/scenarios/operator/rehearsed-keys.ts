/**
 * Keys of a whole ceremony, by the functions of `openledger ceremony`: powers of tau with a contribution, and of each circuit
 * two contributions and a beacon. One machine drew all the secrets, so the keys convince nobody but a drill. Every
 * contributor's name says so, and `deploy` refuses such keys on public chains.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CompiledCircuit, compileCircuit, repositoryRoot } from "@openledger/circuits/compiler/compile";
import { shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { withTwin } from "@openledger/circuits/registry/circuit-sizes";
import { neededPower, REHEARSAL } from "@openledger/prover/keys/ceremony";
import { applyBeaconToKeys, contributeToKeys, newKeys } from "@openledger/prover/keys/ceremony-keys";
import { makePowers } from "@openledger/prover/testing/powers.fixtures";
import { WORLD_SIZES } from "../../world/circuits.ts";

/** The smallest set with which everything can be done, the largest first. `deploy` adds the first one's twin. */
export const CIRCUITS = [shapeName(WORLD_SIZES.get(2)!.shape), "payee-exit-4", "leaf-exit"];
const KEYED_CIRCUITS = withTwin(CIRCUITS);
const CACHE = join(repositoryRoot, ".cache", "rehearsed-keys");
const CONTRIBUTORS = [`${REHEARSAL}: Ada`, `${REHEARSAL}: Ben`];
const BEACON = {
  beaconHex: "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054",
  iterationsExp: 10,
};

type Tell = (text: string) => void;

/** The part of a deployment's configuration about keys. */
export interface RehearsedKeys {
  readonly folder: string;
  readonly ptau: string;
  readonly minContributions: number;
  readonly beacon: string;
}

/** Makes the keys once, which takes minutes; later they come from the cache. */
export async function rehearsedKeys(tell: Tell): Promise<RehearsedKeys> {
  const circuits: CompiledCircuit[] = [];
  for (const name of KEYED_CIRCUITS) circuits.push(await compileCircuit(circuitSpec(name)));
  const contents = createHash("sha256").update(
    JSON.stringify(circuits.map(({ contentHash }) => contentHash)),
  );
  const root = join(CACHE, contents.digest("hex").slice(0, 24));
  await mkdir(root, { recursive: true });
  const step = async (path: string, title: string, make: () => Promise<unknown>) => {
    if (existsSync(path)) return;
    tell(title);
    await make();
  };
  const power = Math.max(...circuits.map(neededPower));
  const ptauPath = join(root, `pot${power}.ptau`);
  await step(ptauPath, `powers of tau for 2^${power} constraints`, async () => {
    const part = `${ptauPath}.part`;
    await makePowers(root, power, { ptauPath: part });
    await rename(part, ptauPath);
  });
  const folders = [0, 1, 2].map((round) => join(root, `round-${round}`));
  const folder = join(root, "keys");
  const request = {
    circuitNames: KEYED_CIRCUITS,
    resolveCircuit: circuitSpec,
    ptauPath,
    folder: folders[0]!,
  };
  if (!existsSync(folder)) {
    await step(folders[0]!, "first keys", () => newKeys(request, tell));
    for (const [i, name] of CONTRIBUTORS.entries()) {
      const paths = { fromPath: folders[i]!, toPath: folders[i + 1]! };
      await step(paths.toPath, `${name} contributes`, () => contributeToKeys({ ...paths, name }, tell));
    }
    const end = { fromPath: folders[2]!, toPath: folder, ...BEACON };
    await step(folder, "the beacon", () => applyBeaconToKeys(end, tell));
  }
  for (const path of folders) await rm(path, { recursive: true, force: true });
  const { beaconHex: beacon } = BEACON;
  return { folder, ptau: ptauPath, minContributions: CONTRIBUTORS.length, beacon };
}
