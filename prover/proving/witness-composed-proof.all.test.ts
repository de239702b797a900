/** Proves a composed circuit from its inputs with each back end. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { tableCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { closedInputs, closedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { SHAPE as TABLE } from "@openledger/circuits/testing/forgeries/forgery-world";
import { RandomLedger } from "@openledger/circuits/testing/random-ledger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProver } from "../backends.ts";
import { fieldBytes, scalarModulus, toBytesLe } from "../formats/bn254-numbers.ts";
import { parseKeyMeta } from "../formats/key-meta.ts";
import { verifyProof } from "../formats/verification-key.ts";
import { hashKeyFile } from "../formats/zkey-file.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { createNativeProver } from "../native/native-backend.ts";
import { availableBackends } from "../testing/available-backends.fixtures.ts";
import { changeKey } from "../testing/changed-key.fixtures.ts";
import { createWasmProver } from "../wasm/wasm-backend.ts";
import { ProofHelper } from "./proof-helper.ts";
import type { CircuitInputs, ProofJob, ProofResult, ProvingCircuit } from "./prover.ts";
import { witnessValuesAt } from "./witness-check.ts";

const available = await availableBackends();

const DEPTH = 2;
const SHAPE = postedShape(TABLE);

let circuit: ProvingCircuit;
let folder: string;

beforeAll(async () => {
  await initPoseidon();
  folder = await mkdtemp(join(tmpdir(), "openledger-composed-"));
  const spec = tableCircuitSpec(TABLE, DEPTH);
  const composed = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  circuit = await developmentSetup(composed, { cacheDir: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function nextBatch(world: RandomLedger) {
  const builder = new TableBuilder(world.ledger, world.opening(SHAPE));
  world.fill(builder, SHAPE);
  const closed = builder.close();
  const statement = closedStatement(closed, 77n);
  return { inputs: closedInputs(closed, statement.z, DEPTH) as CircuitInputs, statement };
}

/** Writes a key with the description that fits it, as somebody who changed both. @returns its path */
async function writeKey(bytes: Uint8Array): Promise<string> {
  const description = parseKeyMeta(await readFile(join(dirname(circuit.zkeyPath), "meta.json"), "utf8"));
  const home = await mkdtemp(join(folder, "changed-"));
  const path = join(home, basename(circuit.zkeyPath));
  await writeFile(path, bytes);
  const meta = { ...description, zkeySha256: await hashKeyFile(path) };
  await writeFile(join(home, "meta.json"), JSON.stringify(meta));
  return path;
}

describe("a composed circuit's proof", () => {
  it.each(["wasm", "snarkjs"] as const)(
    "is made by %s from inputs, and states C, y and z",
    {
      timeout: 600_000,
    },
    async (backend) => {
      const prover = await createProver(backend);
      try {
        const { inputs, statement } = nextBatch(new RandomLedger(8, DEPTH));
        const { proof, publicSignals } = await prover.prove({ circuit, inputs });
        expect(publicSignals).toEqual([statement.commitment, statement.y, statement.z]);
        expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
        const [commitment, y, z] = publicSignals as [bigint, bigint, bigint];
        expect(verifyProof(circuit.verificationKey, proof, [commitment, y + 1n, z])).toBe(false);
        await expect(prover.prove({ circuit, inputs: { ...inputs, oldRoot: 5n } })).rejects.toMatchObject({
          code: "PRV_NO_WITNESS",
        });
      } finally {
        await prover.close();
      }
    },
  );

  const blinding = {
    "native, its points resident": () => native("resident"),
    "native, its points mapped": () => native("mapped"),
    WebAssembly: () => {
      const prover = createWasmProver();
      return { prover, b1Of: async (job: ProofJob) => timed(await prover.prove(job), ({ b1Ms }) => b1Ms) };
    },
  };
  const native = (keyMemory: "resident" | "mapped") => {
    const prover = createNativeProver({ keyMemory });
    return { prover, b1Of: async (job: ProofJob) => timed(await prover.prove(job), ({ sumB1 }) => sumB1) };
  };
  const timed = <Phases>(made: ProofResult & { phaseMs: Phases }, read: (phases: Phases) => number) => ({
    ...made,
    b1Ms: read(made.phaseMs),
  });
  const able = Object.entries(blinding).filter(
    ([name]) => name === "WebAssembly" || available.includes("native"),
  );

  it.each(able)(
    "is blinded by %s through the circuit's own input, and verifies",
    {
      timeout: 600_000,
    },
    async (_name, open) => {
      const { b1Of, prover } = open();
      try {
        const { inputs, statement } = nextBatch(new RandomLedger(8, DEPTH));
        const made = [await b1Of({ circuit, inputs }), await b1Of({ circuit, inputs })];
        for (const { b1Ms, proof, publicSignals } of made) {
          expect(publicSignals).toEqual([statement.commitment, statement.y, statement.z]);
          expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
          expect(b1Ms).toBe(0);
        }
        const [first, second] = made.map(({ proof }) => proof);
        for (const point of ["a", "b", "c"] as const) expect(first![point]).not.toEqual(second![point]);
        // A witness that somebody else made is not known to be blinded.
        const helper = new ProofHelper();
        const witness = await helper.witnessOf({ circuit, inputs });
        await helper.close();
        const others = [await b1Of({ circuit, witness }), await b1Of({ circuit, witness })];
        for (const { b1Ms } of others) expect(b1Ms).toBeGreaterThan(0);
        expect(others[0]!.proof.a).not.toEqual(others[1]!.proof.a);
        // The sum of B that such a proof left behind enters no later one.
        const { b1Ms, proof, publicSignals } = await b1Of({ circuit, inputs });
        expect([b1Ms, verifyProof(circuit.verificationKey, proof, publicSignals)]).toEqual([0, true]);
      } finally {
        await prover.close();
      }
    },
  );

  it.each(able)(
    "is blinded by %s through r where the key's entry for the circuit's own input was taken away",
    {
      timeout: 600_000,
    },
    async (_name, open) => {
      const { b1Of, prover } = open();
      const helper = new ProofHelper();
      try {
        const { inputs, statement } = nextBatch(new RandomLedger(8, DEPTH));
        const value = (1n << 200n) + 9n;
        const witness = await helper.witnessOf({ circuit, inputs: { ...inputs, blinding: value } });
        const wireOf = (expected: bigint) =>
          Buffer.from(witness.subarray(witnessValuesAt)).indexOf(toBytesLe(expected)) / fieldBytes;
        const wire = wireOf(value);
        const blinded = wireOf((value * statement.z) % scalarModulus);
        const change = { value: 0n, hasPoint: false, withoutC: [wire, blinded] };
        const changed = changeKey(await readFile(circuit.zkeyPath), wire, change);
        const zkeyPath = await writeKey(changed);
        const taken = { ...circuit, zkeyPath };
        const made = [await b1Of({ circuit: taken, inputs }), await b1Of({ circuit: taken, inputs })];
        for (const { b1Ms, proof, publicSignals } of made) {
          expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
          expect(b1Ms).toBeGreaterThan(0);
        }
        expect(made[0]!.proof.a).not.toEqual(made[1]!.proof.a);
      } finally {
        await helper.close();
        await prover.close();
      }
    },
  );

  it("blames a description that cannot be read on itself, not on the inputs", {
    timeout: 600_000,
  }, async () => {
    const prover = await createProver("wasm");
    try {
      const world = new RandomLedger(8, DEPTH);
      const { inputs } = nextBatch(world);
      const wasmPath = join(folder, "composition.json");
      const prove = () => prover.prove({ circuit: { ...circuit, wasmPath }, inputs });
      await expect(prove()).rejects.toMatchObject({ code: "PRV_PROVE_FAILED" });
      await writeFile(wasmPath, "{}");
      await expect(prove()).rejects.toMatchObject({ code: "PRV_PROVE_FAILED" });
      await prover.prove({ circuit, inputs });
    } finally {
      await prover.close();
    }
  });

  it("can be cancelled while its witness is calculated, and asked for again", {
    timeout: 600_000,
  }, async () => {
    const prover = await createProver("wasm");
    try {
      const { inputs } = nextBatch(new RandomLedger(8, DEPTH));
      for (let i = 0; i < 2; i++) {
        const stopping = new AbortController();
        const onProgress = ({ stage }: { stage: string }) => {
          if (stage === "witness") setTimeout(() => stopping.abort(), 5 + 100 * i);
        };
        const cancelled = prover.prove({ circuit, inputs }, { signal: stopping.signal, onProgress });
        await expect(cancelled).rejects.toMatchObject({ code: "PRV_CANCELLED" });
      }
      await prover.prove({ circuit, inputs });
    } finally {
      await prover.close();
    }
  });
});
