/** Tests that every back end must pass: proofs that snarkjs verifies, refusals, cancelling and closing. */
import { copyFile, cp, readFile, truncate, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { groth16, wtns } from "snarkjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toSnarkjsKey, verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProofResult, Prover, ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "./sample-circuit.fixtures.ts";

export const inputs = { x: 3n, w: 5n };

/** Sample circuits with their keys in a folder of their own, which is removed after the file's tests. */
export class BackendWorld {
  readonly folder: string;
  readonly #circuits = new Map<number, ProvingCircuit>();
  readonly #squareCount: number;

  private constructor(folder: string, squareCount: number) {
    this.folder = folder;
    this.#squareCount = squareCount;
  }

  /** @param squareCount of the circuit that most tests prove: a back end that is slow takes a small one */
  static async make(squareCount = 600): Promise<BackendWorld> {
    const world = new BackendWorld(await scratchFolder(), squareCount);
    beforeAll(async () => {
      for (const count of [1, 4, squareCount])
        world.#circuits.set(
          count,
          await developmentSetup(await compileSample(count), { cacheDir: world.folder }),
        );
    });
    return world;
  }

  get circuit(): ProvingCircuit {
    return this.#circuits.get(this.#squareCount)!;
  }

  get other(): ProvingCircuit {
    return this.#circuits.get(4)!;
  }

  get circuits(): readonly ProvingCircuit[] {
    return [...this.#circuits.values()];
  }

  /** A copy of the circuit's key folder, to damage. */
  async copyOfKey(name: string): Promise<ProvingCircuit> {
    const { circuit } = this;
    await cp(dirname(circuit.zkeyPath), join(this.folder, name), { recursive: true });
    return { ...circuit, zkeyPath: join(this.folder, name, basename(circuit.zkeyPath)) };
  }

  async makeWitness(): Promise<Uint8Array> {
    const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
    await wtns.calculate(inputs, this.circuit.wasmPath, output);
    return output.data!;
  }
}

const KEY_MISMATCH = { code: "PRV_KEY_INVALID", data: { reason: "key-mismatch" } };
const KEY_UNREADABLE = {
  code: "PRV_KEY_INVALID",
  data: { reason: expect.not.stringMatching(/^key-mismatch$/) },
};

/** snarkjs' own verdict. */
function snarkjsVerifies(circuit: ProvingCircuit, { proof, publicSignals }: ProofResult) {
  const text = (values: readonly bigint[]) => values.map(String);
  const { a, b, c } = proof;
  const input = {
    pi_a: text([...a, 1n]),
    pi_b: [text(b[0]), text(b[1]), ["1", "0"]],
    pi_c: text([...c, 1n]),
    protocol: "groth16",
    curve: "bn128",
  };
  return groth16.verify(toSnarkjsKey(circuit.verificationKey), text(publicSignals), input);
}

/**
 * Defines the tests that every back end passes. @param backend its results' name of it, or a part of that
 * @param open opens a prover for the tests, which close it
 */
export function testBackend(world: BackendWorld, backend: string, open: () => Prover | Promise<Prover>) {
  let prover: Prover;
  beforeAll(async () => {
    prover = await open();
  });
  afterAll(() => prover?.close());
  const prove = (circuit: ProvingCircuit) => prover.prove({ circuit, inputs });

  test("proves circuits of all sizes from inputs as snarkjs verifies, and reports stages, times and what ran", async () => {
    for (const circuit of world.circuits) {
      const stages: string[] = [];
      const onProgress = ({ stage }: { stage: string }) => stages.push(stage);
      const result = await prover.prove({ circuit, inputs }, { onProgress });
      expect(stages).toEqual(["witness", "prove", "verify"]);
      expect(result.publicSignals[1]).toBe(3n);
      expect(result.backend).toContain(backend);
      expect(result.timings.proveMs).toBeGreaterThan(0);
      expect(await snarkjsVerifies(circuit, result)).toBe(true);
      expect(verifyProof(circuit.verificationKey, result.proof, [result.publicSignals[0]!, 4n])).toBe(false);
    }
  });

  test("two proofs of one witness differ, and both verify", async () => {
    const { circuit } = world;
    const witness = await world.makeWitness();
    const proofs = [await prover.prove({ circuit, witness }), await prover.prove({ circuit, witness })];
    for (const part of ["a", "b", "c"] as const)
      expect(proofs[0]!.proof[part]).not.toEqual(proofs[1]!.proof[part]);
    for (const { proof, publicSignals } of proofs)
      expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
  });

  test("refuses a witness that breaks a constraint, one that is none, and one of another circuit", async () => {
    const { circuit, other } = world;
    const witness = await world.makeWitness();
    const changed = (at: number, value: number) => Uint8Array.from(witness).fill(value, at);
    const broken = Uint8Array.from(witness);
    broken[broken.length - 32]! ^= 1;
    const foreign = Uint8Array.from(witness);
    foreign[28]! ^= 1;
    const noWitness = [witness.subarray(0, -1), witness.subarray(0, 20), new Uint8Array(0), foreign];
    await expect(prover.prove({ circuit, witness: broken })).rejects.toMatchObject({
      code: "PRV_PROOF_INVALID",
    });
    // snarkjs itself judges field and values; the last value is not below r.
    const code = backend === "snarkjs" ? /^PRV_(NO_WITNESS|PROVE_FAILED|PROOF_INVALID)$/ : /^PRV_NO_WITNESS$/;
    for (const wrong of [...noWitness, changed(witness.length - 32, 0xff)])
      await expect(prover.prove({ circuit, witness: wrong })).rejects.toMatchObject({
        code: expect.stringMatching(code),
      });
    await expect(prover.prove({ circuit: other, witness })).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
  });

  test("refuses inputs without a witness and inputs that are missing, and proves the next ones", async () => {
    const { circuit } = world;
    for (const wrong of [{ x: 3n, w: 0n }, { x: 3n }])
      await expect(prover.prove({ circuit, inputs: wrong })).rejects.toMatchObject({
        code: "PRV_NO_WITNESS",
      });
    expect((await prove(circuit)).publicSignals[1]).toBe(3n);
  });

  test("refuses a key that is missing, cut off, changed after its use, or another circuit's", async () => {
    const { circuit, folder, other } = world;
    const cut = await world.copyOfKey("cut");
    await truncate(cut.zkeyPath, (await readFile(cut.zkeyPath)).length - 100);
    for (const refused of [{ ...circuit, zkeyPath: join(folder, "nowhere.zkey") }, cut])
      await expect(prove(refused), refused.zkeyPath).rejects.toMatchObject(KEY_UNREADABLE);
    const changed = await world.copyOfKey("changed");
    expect((await prove(changed)).publicSignals[1]).toBe(3n);
    const bytes = await readFile(changed.zkeyPath);
    bytes[bytes.length - 200]! ^= 1;
    await writeFile(changed.zkeyPath, bytes);
    await expect(prove(changed)).rejects.toMatchObject(KEY_MISMATCH);
    await copyFile(other.zkeyPath, changed.zkeyPath);
    const { verificationKey, zkeyPath } = other;
    for (const foreign of [changed, { ...circuit, zkeyPath }, { ...circuit, verificationKey }])
      await expect(prove(foreign)).rejects.toMatchObject(KEY_MISMATCH);
    await copyFile(circuit.zkeyPath, changed.zkeyPath);
    expect((await prove(changed)).publicSignals[1]).toBe(3n);
  });

  test("cancels the running job and one that waits, and proves the next one", async () => {
    const stop = new AbortController();
    const options = { signal: stop.signal };
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => stop.abort());
    };
    const { circuit } = world;
    const running = prover.prove({ circuit, inputs }, { ...options, onProgress });
    const waiting = prover.prove({ circuit, inputs }, options);
    const next = prove(circuit);
    for (const cancelled of [running, waiting])
      await expect(cancelled).rejects.toMatchObject({ code: "PRV_CANCELLED", isRetryable: true });
    expect((await next).publicSignals[1]).toBe(3n);
  });

  test("cancels a job that still waits, without touching the running one", async () => {
    const stop = new AbortController();
    const { circuit } = world;
    const running = prove(circuit);
    const waiting = prover.prove({ circuit, inputs }, { signal: stop.signal });
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: "PRV_CANCELLED" });
    expect((await running).publicSignals[1]).toBe(3n);
  });

  test("close ends running and waiting jobs", async () => {
    const closing = await open();
    const job = { circuit: world.other, inputs };
    const outcomes = Promise.allSettled([closing.prove(job), closing.prove(job)]);
    await closing.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "PRV_CLOSED" } });
    await expect(closing.prove(job)).rejects.toMatchObject({ code: "PRV_CLOSED" });
  });
}
