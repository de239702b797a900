/**
 * Looks for false model commitments: recomputes each from its published files, and names the first wrong place. It
 * signs nothing; `openledger watch --account NAME` does the same and refutes.
 */

import {
  initPoseidon,
  ModelVerdicts,
  publishedFiles,
  readRegistry,
  rollupAbi,
  watchOnce,
} from "openledger-challenger";
import { createPublicClient, http, zeroAddress } from "viem";

const { DISPUTES, MODELS, ROLLUP, RPC_URL, SERVER } = process.env as Record<
  string,
  `0x${string}` | undefined
>;
if (RPC_URL === undefined || (ROLLUP ?? DISPUTES) === undefined)
  throw new Error("set RPC_URL, and ROLLUP or DISPUTES");

await initPoseidon();
const publicClient = createPublicClient({ transport: http(RPC_URL) });
// The rollup begins no model that its gate does not admit. It has none unless its deployer named one.
const gate =
  DISPUTES ??
  (await publicClient.readContract({ address: ROLLUP!, abi: rollupAbi, functionName: "activationGate" }));
const registry = gate === zeroAddress ? null : await readRegistry(publicClient, gate);
if (registry === null) console.log("This rollup asks no registry of models: nothing is posted.");

const verdicts = new ModelVerdicts();
let falseCount = 0;
if (registry !== null) {
  // Direct models alone: language models need their base as well, `openledger watch --base FOLDER`.
  const watched = await watchOnce({
    publicClient,
    watcher: null,
    disputes: gate,
    // From a folder, or from where the models are served.
    filesOf: (commitment) =>
      publishedFiles(gate, commitment, { models: MODELS, serverOf: () => SERVER ?? null }, verdicts),
  });
  for (const { examined, failure, modelCommitment } of watched) {
    const fault = examined?.fault?.fault ?? null;
    if (fault !== null) falseCount += 1;
    const found =
      fault === null ? (failure?.message ?? "nothing wrong found") : `FALSE: ${JSON.stringify(fault)}`;
    console.log(
      `Model ${modelCommitment.modelId}, model commitment ${modelCommitment.id}, ${modelCommitment.state}: ${found}`,
    );
  }
}
process.exitCode = falseCount === 0 ? 0 : 1;
