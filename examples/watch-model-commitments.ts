/**
 * Looks for false model commitments: recomputes each from its published files, and names the first wrong place. It
 * signs nothing; `openledger challenger --account NAME` does the same and refutes.
 */

import { openChallenger, RecomputeThread, readRegistry, rollupAbi } from "openledger-challenger";
import { createPublicClient, http, zeroAddress } from "viem";

const { DISPUTES, MODELS, ROLLUP, RPC_URL, SERVER } = process.env as Record<
  string,
  `0x${string}` | undefined
>;
if (RPC_URL === undefined || (ROLLUP ?? DISPUTES) === undefined)
  throw new Error("set RPC_URL, and ROLLUP or DISPUTES");

const publicClient = createPublicClient({ transport: http(RPC_URL) });
// The rollup begins no model that its gate does not admit. It has none unless its deployer named one.
const gate =
  DISPUTES ??
  (await publicClient.readContract({ address: ROLLUP!, abi: rollupAbi, functionName: "activationGate" }));
const registry = gate === zeroAddress ? null : await readRegistry(publicClient, gate);
if (registry === null) console.log("This rollup asks no registry of models: nothing is posted.");

let falseCount = 0;
if (registry !== null) {
  const thread = new RecomputeThread();
  const challenger = await openChallenger(
    {
      rpcUrl: RPC_URL,
      disputes: gate,
      // Queries of language models are compared where a rollup is named, and their base is known.
      rollup: null,
      roles: new Set(["watch"]),
      // From a folder, or from where the models are served.
      places: { models: MODELS, serverOf: () => SERVER ?? null },
      folder: null,
      everyMs: null,
      mostFeesWei: 0n,
    },
    { sender: null, onProgress() {}, recompute: thread.recompute },
  );
  const { view } = await challenger.look();
  for (const { examined, failure, id, modelId, state } of view.modelCommitments) {
    const fault = examined?.fault ?? null;
    if (fault !== null) falseCount += 1;
    const found = fault === null ? (failure ?? "nothing wrong found") : `FALSE: ${JSON.stringify(fault)}`;
    console.log(`Model ${modelId}, model commitment ${id}, ${state}: ${found}`);
  }
  challenger.close();
  await thread.close();
}
process.exitCode = falseCount === 0 ? 0 : 1;
