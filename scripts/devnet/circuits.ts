import { circuitSpec } from "../../circuits/circuit-registry.ts";
import { type CompiledCircuit, compileCircuit } from "../../circuits/compile.ts";
import { shapeName } from "../../circuits/protocol.ts";
import { developmentSetup } from "../../prover/development-setup.ts";
import type { ProvingCircuit } from "../../prover/prover.ts";
import { DEVNET_SHAPE } from "./config.ts";
import type { Console } from "./console.ts";

export interface DevnetCircuit {
  compiled: CompiledCircuit;
  proving: ProvingCircuit;
}

/** Compiles the batch circuit and makes its development keys, or takes both from the cache. */
export async function buildCircuit(console: Console): Promise<DevnetCircuit> {
  const name = shapeName(DEVNET_SHAPE);
  const startedAtMs = Date.now();
  const ticker = setInterval(() => {
    console.progress(
      `compiling ${name} (once, then cached): ${Math.round((Date.now() - startedAtMs) / 1000)} s`,
    );
  }, 1000);
  let compiled: CompiledCircuit;
  try {
    compiled = await compileCircuit(circuitSpec(name));
  } finally {
    clearInterval(ticker);
  }
  const { nonLinear, linear } = compiled.constraintCounts;
  console.done(
    `circuit ${name}: ${(nonLinear + linear).toLocaleString("en")} constraints`,
    Date.now() - startedAtMs,
  );
  const keysFromMs = Date.now();
  const proving = await developmentSetup(compiled, {
    onProgress: ({ stage, done, total }) => {
      console.progress(
        `making development keys (once, then cached): ${stage} ${Math.floor((100 * done) / Math.max(1, total))} %`,
      );
    },
  });
  console.done(
    "development keys: their secret is public, proofs made with them convince nobody",
    Date.now() - keysFromMs,
  );
  return { compiled, proving };
}
