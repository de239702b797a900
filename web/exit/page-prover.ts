/** Proves exits for the page *Exit* (exit-panel.tsx): one at a time, in a worker of its own, so that the page stays responsive. */

import { RollupError } from "@openledger/foundation/rollup-error";
import { parseZkeyHeader } from "@openledger/prover/formats/zkey-header";
import type { SingleThreadStage } from "@openledger/prover/wasm/single-thread";
import { type ExitCircuit, requireRegisteredKey } from "@openledger/verifier/circuits/exit-circuits";
import type { ExitProver } from "@openledger/verifier/exits/prove-exits";
import { verifierError } from "@openledger/verifier/verifier-errors";
import type { ExitTools } from "./exit-tools.ts";
import type { WorkerAnswer, WorkerTask } from "./worker-messages.ts";

const STAGE_TEXTS: Readonly<Record<SingleThreadStage, string>> = {
  key: "reading the proving key",
  witness: "calculating the witness",
  prove: "making the proof, some seconds",
  verify: "checking the proof",
};

/** Prover that reads its keys from the page's build, and compares each with L1's before it uses it. */
export function pageProver(tools: ExitTools): ExitProver {
  const opened = new Map<string, WorkerTask["circuit"]>();
  return {
    async open(circuit, onProgress) {
      const files = opened.get(circuit.name) ?? (await openFiles(tools, circuit, onProgress));
      opened.set(circuit.name, files);
      return (inputs, onStage) => proveInWorker(tools, { circuit: files, inputs }, onStage);
    },
  };
}

async function openFiles(
  tools: ExitTools,
  circuit: ExitCircuit,
  onProgress: (text: string) => void,
): Promise<WorkerTask["circuit"]> {
  const { name } = circuit;
  if (!tools.circuits.includes(name))
    throw verifierError("CLI_KEYS_MISSING", `this page brings no keys of ${name}`, {
      data: { circuit: name },
    });
  onProgress(`reading the keys of ${name}`);
  const [zkey, program] = await Promise.all([tools.readFile(`${name}.zkey`), tools.readFile(`${name}.wasm`)]);
  const { verificationKey } = await parseZkeyHeader({
    name,
    fileBytes: zkey.length,
    read: async (position, byteCount) => zkey.subarray(position, position + byteCount),
  });
  requireRegisteredKey(circuit, verificationKey);
  return { name, zkey, program };
}

/** @throws what `proveInThisThread` does; PRV_WORKER_DIED */
async function proveInWorker(
  tools: ExitTools,
  task: WorkerTask,
  onStage: (text: string) => void,
): Promise<Extract<WorkerAnswer, { kind: "proven" }>> {
  const worker = await tools.startProver();
  return new Promise<Extract<WorkerAnswer, { kind: "proven" }>>((settle, fail) => {
    worker.onmessage = ({ data: answer }: MessageEvent<WorkerAnswer>) => {
      if (answer.kind === "stage") onStage(STAGE_TEXTS[answer.stage]);
      else if (answer.kind === "proven") settle(answer);
      else fail(new RollupError(answer.code ?? "PRV_PROVE_FAILED", answer.message));
    };
    worker.onerror = ({ message }) =>
      fail(new RollupError("PRV_WORKER_DIED", `the prover's worker ended: ${message}`));
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}
