/** `openledger exit --page`: writes the page, one file, by which a person leaves a frozen rollup from their disk. */
import { copyFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { toSnarkjsKey } from "@openledger/prover/formats/verification-key";
import { exitCircuits } from "@openledger/verifier/circuits/exit-circuits";
import { openRegisteredCircuit } from "@openledger/verifier/circuits/open-registered";
import { verifierKey } from "@openledger/verifier/replay/verify-keys";
import { buildPages, singleFilePageOf } from "@openledger/web/build/build-pages";
import { type GlobalOptions, resolveEndpoints } from "../../cli/context.ts";
import type { Output } from "../../cli/output.ts";

/**
 * Writes the exit page from these sources and the circuits that L1 has registered. The file is the same for everybody,
 * so its hash can be compared.
 * @throws CLI_KEYS_DIFFER, PRV_KEY_*, CIR_COMPILE_FAILED, BRG_L1_*
 */
export async function writeExitPage(
  options: GlobalOptions & { readonly page: string; readonly keys: string },
  output: Output,
): Promise<void> {
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const rollup = new RollupContract({ client: createPatientL1Client({ rpcUrl }), address: rollupAddress });
  const registered = await rollup.circuits();
  const exits = [];
  for (const circuit of exitCircuits(registered)) {
    const opened = await openRegisteredCircuit(circuit, options.keys, (text) => output.progress(text));
    exits.push({ name: circuit.name, zkeyPath: opened.zkeyPath, wasmPath: opened.wasmPath });
  }
  output.progress("building the page");
  const circuits = registered.map((circuit) => ({ ...circuit, key: toSnarkjsKey(verifierKey(circuit)) }));
  const { path, sha256, byteCount } = singleFilePageOf(await buildPages({ circuits, exits }));
  const file = resolve(options.page);
  await copyFile(path, file);
  output.answer(
    [
      `${file}, ${byteCount} bytes, for ${exits.map(({ name }) => name).join(", ")}`,
      `SHA-256 ${sha256}`,
      "open it in a browser: it uses an Ethereum node and no other server",
    ],
    { file, byteCount, sha256, rollupAddress, circuits: exits.map(({ name }) => name) },
  );
}
