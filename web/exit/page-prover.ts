/** Proofs of exits in the page: in a worker of their own, one at a time, so that the page goes on. */

import { RollupError } from "@openledger/foundation/rollup-error";
import { parseZkeyHeader } from "@openledger/prover/formats/zkey-header";
import type { SingleThreadStage } from "@openledger/prover/wasm/single-thread";
import { type ExitCircuit, requireRegisteredKey } from "@openledger/verifier/circuits/exit-circuits";
import type { ExitProver } from "@openledger/verifier/exits/prove-exits";
import { verifierError } from "@openledger/verifier/verifier-errors";
import type { ExitTools } from "./exit-tools.ts";
import type { WorkerAnswer, WorkerTask } from "./worker-messages.ts";

const SAID: Readonly<Record<SingleThreadStage, string>> = {
  key: "reading the proving key",
  witness: "calculating the witness",
  prove: "making the proof, some seconds",
  verify: "checking the proof",
};

/** Keys are those of the build, and each is held against the one that L1 has before it is used. */
export function pageProver(tools: ExitTools): ExitProver {
  const opened = new Map<string, WorkerTask["circuit"]>();
  return {
    async open(circuit, onProgress) {
      const files = opened.get(circuit.name) ?? (await openFiles(tools, circuit, onProgress));
      opened.set(circuit.name, files);
      return (inputs, tell) => proveInWorker(tools, { circuit: files, inputs }, tell);
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
  tell: (text: string) => void,
): Promise<Extract<WorkerAnswer, { kind: "proven" }>> {
  const worker = await tools.startProver();
  return new Promise<Extract<WorkerAnswer, { kind: "proven" }>>((settle, fail) => {
    worker.onmessage = ({ data: answer }: MessageEvent<WorkerAnswer>) => {
      if (answer.kind === "stage") tell(SAID[answer.stage]);
      else if (answer.kind === "proven") settle(answer);
      else fail(new RollupError(answer.code ?? "PRV_PROVE_FAILED", answer.message));
    };
    worker.onerror = ({ message }) =>
      fail(new RollupError("PRV_WORKER_DIED", `the prover's worker ended: ${message}`));
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}
