/**
 * Looks for false model commitments: recomputes each from its published files, and names the first wrong place. It
 * signs nothing; `openledger watch --account NAME` does the same and refutes.
 */

import {
  initPoseidon,
  ModelVerdicts,
  publishedFiles,
  readGateContracts,
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
const contracts = gate === zeroAddress ? [] : await readGateContracts(publicClient, gate);
if (contracts.length === 0) console.log("This rollup asks no contract of disputes: nothing is posted.");

const verdicts = new ModelVerdicts();
let falseCount = 0;
for (const { address, kind } of contracts) {
  // Language models need their base as well: `openledger watch --base FOLDER`.
  if (kind === "text") continue;
  const watched = await watchOnce({
    publicClient,
    watcher: null,
    disputes: address,
    // From a folder, or from where the models are served.
    filesOf: (commitment) =>
      publishedFiles(address, commitment, { models: MODELS, serverOf: () => SERVER ?? null }, verdicts, kind),
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
