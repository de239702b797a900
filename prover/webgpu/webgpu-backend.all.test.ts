import { groth16, wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toSnarkjsKey, verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { openTestDevice } from "../testing/webgpu.fixtures.ts";
import { g1Curve, g2Curve } from "./curve-shader.ts";
import { GpuDevice, type Kernel } from "./gpu-device.ts";
import { type Kernels, quotientKernels } from "./quotient-kernels.ts";
import { accumulateKernel, mergeKernel, reduceKernel } from "./sum-kernels.ts";
import { adapterOf, createWebgpuProver, type WebgpuProver } from "./webgpu-backend.ts";

const inputs = { x: 3n, w: 5n };
const folder = await scratchFolder();
let circuit: ProvingCircuit;
let other: ProvingCircuit;
let prover: WebgpuProver;

beforeAll(async () => {
  circuit = await developmentSetup(await compileSample(40), { cacheDir: folder });
  other = await developmentSetup(await compileSample(4), { cacheDir: folder });
  prover = await createWebgpuProver({ adapter: "software", maxKeyCount: 1 });
  // SwiftShader compiles for seconds: not in a test's time.
  await prover.prove({ circuit: other, inputs });
});
afterAll(() => prover.close());

async function makeWitness(): Promise<Uint8Array> {
  const output: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(inputs, circuit.wasmPath, output);
  return output.data!;
}

describe("createWebgpuProver", () => {
  test("proves from inputs what snarkjs verifies, and reports its stages, its times and the adapter", async () => {
    const stages: string[] = [];
    const result = await prover.prove({ circuit, inputs }, { onProgress: ({ stage }) => stages.push(stage) });
    expect(stages).toEqual(["witness", "prove", "verify"]);
    expect(result.publicSignals[1]).toBe(3n);
    expect(result.backend).toContain("webgpu on");
    expect(result.backend).toContain("SwiftShader");
    const { queueMs, g2Ms, g1Ms, assemblyMs } = result.phaseMs;
    expect(queueMs + g2Ms + g1Ms + assemblyMs).toBeLessThanOrEqual(result.timings.proveMs + 1);
    const { a, b, c } = result.proof;
    const text = (values: readonly bigint[]) => values.map(String);
    const proof = {
      pi_a: text([...a, 1n]),
      pi_b: [text(b[0]), text(b[1]), ["1", "0"]],
      pi_c: text([...c, 1n]),
      protocol: "groth16",
      curve: "bn128",
    };
    const signals = text(result.publicSignals);
    expect(await groth16.verify(toSnarkjsKey(circuit.verificationKey), signals, proof)).toBe(true);
  });

  test("two proofs of one witness differ, and both verify", async () => {
    const witness = await makeWitness();
    const proofs = [await prover.prove({ circuit, witness }), await prover.prove({ circuit, witness })];
    expect(proofs[0]!.proof.a).not.toEqual(proofs[1]!.proof.a);
    expect(proofs[0]!.proof.c).not.toEqual(proofs[1]!.proof.c);
    for (const { proof, publicSignals } of proofs)
      expect(verifyProof(circuit.verificationKey, proof, publicSignals)).toBe(true);
  });

  test("takes another key in the place of the first, and the first again", async () => {
    for (const target of [other, circuit])
      expect((await prover.prove({ circuit: target, inputs })).publicSignals[1]).toBe(3n);
  });

  test("refuses a witness that breaks a constraint, one that is none, and inputs without one", async () => {
    const witness = await makeWitness();
    const broken = Uint8Array.from(witness);
    broken[broken.length - 32]! ^= 1;
    await expect(prover.prove({ circuit, witness: broken })).rejects.toMatchObject({
      code: "PRV_PROOF_INVALID",
    });
    const cut = witness.subarray(0, -1);
    await expect(prover.prove({ circuit, witness: cut })).rejects.toMatchObject({ code: "PRV_NO_WITNESS" });
    await expect(prover.prove({ circuit, inputs: { x: 3n, w: 0n } })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
    });
  });

  test("cancels a running and a waiting job, and proves the next one", async () => {
    const stop = new AbortController();
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => stop.abort());
    };
    const running = prover.prove({ circuit, inputs }, { signal: stop.signal, onProgress });
    const waiting = prover.prove({ circuit, inputs }, { signal: stop.signal });
    const next = prover.prove({ circuit, inputs });
    await expect(running).rejects.toMatchObject({ code: "PRV_CANCELLED", isRetryable: true });
    await expect(waiting).rejects.toMatchObject({ code: "PRV_CANCELLED", isRetryable: true });
    expect((await next).publicSignals[1]).toBe(3n);
  });

  test("reports a card that is lost in the middle of a proof, and proves the next one on another device", async () => {
    const lost = prover.gpu;
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => lost.device.destroy());
    };
    await expect(prover.prove({ circuit: other, inputs }, { onProgress })).rejects.toMatchObject({
      code: "PRV_GPU_LOST",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit: other, inputs })).publicSignals[1]).toBe(3n);
    expect(prover.gpu).not.toBe(lost);
  });

  test("close ends running and waiting jobs", async () => {
    const closing = await createWebgpuProver({ adapter: "software" });
    const jobs = [closing.prove({ circuit: other, inputs }), closing.prove({ circuit: other, inputs })];
    const outcomes = Promise.allSettled(jobs);
    await closing.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "PRV_CLOSED" } });
    await expect(closing.prove({ circuit, inputs })).rejects.toMatchObject({ code: "PRV_CLOSED" });
  });
});

describe("adapterOf", () => {
  test("takes the card unless the processor is asked for, and refuses anything else", () => {
    expect(adapterOf({})).toBe("hardware");
    expect(adapterOf({ PROVER_WEBGPU_ADAPTER: "software" })).toBe("software");
    expect(() => adapterOf({ PROVER_WEBGPU_ADAPTER: "fastest" })).toThrowError(
      expect.objectContaining({ code: "SRV_CONFIG_INVALID" }),
    );
  });
});

describe("GpuDevice", () => {
  test("is a card, or says what to install: it never computes on the processor unasked", async () => {
    const opened = await GpuDevice.open("hardware").catch((error: unknown) => error);
    if (opened instanceof GpuDevice) {
      expect(opened.isSoftware).toBe(false);
      opened.close();
    } else {
      expect(opened).toMatchObject({ code: "PRV_GPU_UNAVAILABLE", isRetryable: false });
      expect((opened as Error).message).toMatch(/driver|processor|could not be loaded/);
    }
  });

  test("refuses buffers that the adapter does not allow, and reports what a shader does wrong", async () => {
    const gpu = await openTestDevice();
    expect(() => gpu.makeBuffer("list", 2 ** 40)).toThrowError(
      expect.objectContaining({
        code: "PRV_GPU_UNAVAILABLE",
        data: expect.objectContaining({ reason: "gpu-too-small" }),
      }),
    );
    gpu.device.createShaderModule({ code: "this is no WGSL" });
    await gpu.device.queue.onSubmittedWorkDone();
    expect(() => gpu.check()).toThrowError(expect.objectContaining({ code: "PRV_PROVE_FAILED" }));
    gpu.close();
  });

  test("accepts every kernel in the cards' style, which SwiftShader would take minutes to compile", async () => {
    const gpu = await openTestDevice();
    const { inverse, forward, ...single } = quotientKernels("unrolled");
    const sums = [g1Curve, g2Curve].flatMap((curve) =>
      [accumulateKernel, mergeKernel, reduceKernel].map((make) => make(curve, "unrolled")),
    );
    const passes = [inverse, forward].flatMap((kernels: Kernels) => [kernels[1], kernels[2]]);
    for (const { name, source } of [...(Object.values(single) as Kernel[]), ...passes, ...sums]) {
      const { messages } = await gpu.device.createShaderModule({ code: source }).getCompilationInfo();
      expect(
        messages.filter(({ type }) => type === "error"),
        name,
      ).toEqual([]);
    }
    gpu.check();
    gpu.close();
  });
});
