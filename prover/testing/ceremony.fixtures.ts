import { join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { connect, deployFixture, revertOf } from "@openledger/contracts/testing/rollup-fixture";
import { createCeremony } from "../coordinator/ceremony-folder.ts";
import {
  type CoordinatorOptions,
  type RunningCoordinator,
  startCoordinator,
} from "../coordinator/start-coordinator.ts";
import { toSolidityKey } from "../formats/verification-key.ts";
import { startKey } from "../keys/ceremony.ts";
import { loadProductionKey } from "../proving/proving-key.ts";
import { createSnarkjsProver } from "../snarkjs/snarkjs-backend.ts";
import { makePowers } from "./powers.fixtures.ts";

/** The smallest circuit with the public inputs that the contracts know: C, y and z. */
const SOURCE = `pragma circom 2.1.6;
template Tiny(n) {
  signal input c;
  signal input y;
  signal input z;
  signal input w;
  signal power[n + 1];
  power[0] <== w;
  for (var i = 0; i < n; i++) power[i + 1] <== power[i] * power[i];
  c * y === power[n] + z;
}
component main {public [c, y, z]} = Tiny(12);
`;
const TINY_CIRCUIT = "tiny-ceremony";
export const resolveTiny = (name: string) => ({ name, mainSource: SOURCE });

/** A folder `ceremony` below `folder`, ready to be served, and the powers of tau that it began with. */
export async function makeTinyCeremony(
  folder: string,
  facts: { maxContributions: number; beaconNotice?: string },
): Promise<{ ceremonyPath: string; ptauPath: string }> {
  const ptauPath = join(folder, "made.ptau");
  await makePowers(folder, 5, { ptauPath });
  const zkeyPath = join(folder, "tiny.0.zkey");
  await startKey({ circuitName: TINY_CIRCUIT, resolveCircuit: resolveTiny, ptauPath, zkeyPath });
  const { contentHash } = await compileCircuit(resolveTiny(TINY_CIRCUIT));
  const ceremonyPath = join(folder, "ceremony");
  const all = { circuitName: TINY_CIRCUIT, contentHash, beaconNotice: "", ...facts };
  await createCeremony(ceremonyPath, all, zkeyPath);
  return { ceremonyPath, ptauPath };
}

/** Served on a free port, silent, with room for one machine's many contributors. */
export function serveTiny(
  ceremonyPath: string,
  options: Partial<CoordinatorOptions> = {},
): Promise<RunningCoordinator> {
  return startCoordinator({
    folder: ceremonyPath,
    host: "127.0.0.1",
    port: 0,
    turnMs: 600_000,
    silentMs: 120_000,
    stalledMs: 120_000,
    maxWaiting: 20,
    maxPerAddress: 20,
    joinsPerMinute: 1_000,
    pages: [],
    log: { info() {}, warn() {}, error() {} },
    ...options,
  });
}

/**
 * Deploys the contracts on a chain of their own with the finished key, proves with it, and has the contract check a proof of
 * a right statement and the same of a wrong one.
 */
export async function isTakenByContract(keyFolder: string): Promise<{ right: boolean; wrong: boolean }> {
  const circuit = await loadProductionKey(await compileCircuit(resolveTiny(TINY_CIRCUIT)), keyFolder);
  const [c, y, z, w] = [5n, 7n, 34n, 1n];
  const prover = createSnarkjsProver();
  const { proof } = await prover.prove({ circuit, inputs: { c, y, z, w } });
  await prover.close();
  const config = {
    ...batchSizes(shapeOf(2, 9)),
    isDevelopment: false,
    key: toSolidityKey(circuit.verificationKey),
  };
  const anvil = await startAnvil();
  try {
    const { rollup } = await deployFixture(await connect(anvil), { circuits: [config] });
    const verify = async (challenge: bigint) => {
      const statement = { circuit: 0, commitment: c, evaluation: y, challenge, blobLow: 0n, blobHigh: 0n };
      const answer = await revertOf(rollup.read.verifyProofs([[statement], [toContractProof(proof)]]));
      return answer.name === "accepted";
    };
    return { right: await verify(z), wrong: await verify(z + 1n) };
  } finally {
    await anvil.stop();
  }
}
