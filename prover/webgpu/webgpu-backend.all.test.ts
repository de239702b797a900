import { bn254 } from "@noble/curves/bn254.js";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pointOfG1, verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { ProofHelper } from "../proving/proof-helper.ts";
import { ProvingKeyChecker } from "../proving/proving-key.ts";
import { readPublicSignals, witnessValuesAt } from "../proving/witness-check.ts";
import { BackendWorld, inputs, testBackend } from "../testing/backend-suite.fixtures.ts";
import { openTestDevice } from "../testing/webgpu.fixtures.ts";
import { GpuDevice } from "./gpu-device.ts";
import { allKernels, loadGpuKey } from "./gpu-key.ts";
import { proveOnGpu } from "./gpu-proof.ts";
import { adapterOf, createWebgpuProver, type WebgpuProver } from "./webgpu-backend.ts";

const world = await BackendWorld.make(40);
const open = () => createWebgpuProver({ adapter: "software", maxKeyCount: 1 });
let prover: WebgpuProver;

beforeAll(async () => {
  prover = await open();
  // SwiftShader compiles for seconds: not in a test's time.
  await prover.prove({ circuit: world.other, inputs });
});
afterAll(() => prover.close());

describe("createWebgpuProver", () => {
  testBackend(world, "webgpu on", open);

  test("takes another key in the place of the first, and the first again, and says how long its steps took", async () => {
    for (const circuit of [world.other, world.circuit]) {
      const { backend, phaseMs, publicSignals, timings } = await prover.prove({ circuit, inputs });
      expect(publicSignals[1]).toBe(3n);
      expect(backend).toContain("SwiftShader");
      const { queueMs, g2Ms, g1Ms, assemblyMs } = phaseMs;
      expect(queueMs + g2Ms + g1Ms + assemblyMs).toBeLessThanOrEqual(timings.proveMs + 1);
    }
  });

  test("reports a card that is lost in the middle of a proof, and proves the next one on another device", async () => {
    const lost = prover.gpu;
    const onProgress = ({ stage }: { stage: string }) => {
      if (stage === "prove") setImmediate(() => lost.device.destroy());
    };
    await expect(prover.prove({ circuit: world.other, inputs }, { onProgress })).rejects.toMatchObject({
      code: "PRV_GPU_LOST",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit: world.other, inputs })).publicSignals[1]).toBe(3n);
    expect(prover.gpu).not.toBe(lost);
  });
});

describe("proveOnGpu", () => {
  test("leaves r and the sum of B in G1 out where the witness blinds A, and nowhere else", async () => {
    const mainSource = `pragma circom 2.1.6;
template Blinded() {
  signal input blinding; signal input twice; signal input z;
  signal output y;
  signal one <== blinding * z; signal first <== twice * z; signal second <== twice * first;
  y <== second * second;
}
component main {public [z]} = Blinded();
`;
    const circuit = await developmentSetup(await compileCircuit({ name: "sample-blinded-gpu", mainSource }), {
      cacheDir: world.folder,
    });
    const helper = new ProofHelper();
    const witness = await helper.witnessOf({ circuit, inputs: { blinding: 101n, twice: 103n, z: 106n } });
    await helper.close();
    const header = await new ProvingKeyChecker().check(circuit);
    const key = await loadGpuKey(prover.gpu, "compact", circuit.zkeyPath, header);
    const prove = async (r: bigint, ofWitness: bigint) => {
      const by = { r, s: 9n, ofWitness };
      const { proof } = await proveOnGpu(prover.gpu, key, witness.subarray(witnessValuesAt), by);
      const signals = readPublicSignals(witness, header.publicCount);
      expect(verifyProof(circuit.verificationKey, proof, signals), `r ${r}, by ${ofWitness}`).toBe(true);
      return bn254.G1.Point.fromAffine({ x: proof.a[0], y: proof.a[1] });
    };
    const delta = pointOfG1(header.delta1);
    const blinded = await prove(5n, 101n);
    expect((await prove(6n, 101n)).equals(blinded)).toBe(true);
    // Without a blinding of the witness, and where the value is on a wire with two entries, r counts.
    for (const other of [0n, 103n])
      expect((await prove(5n, other)).equals(blinded.add(delta.multiply(5n)))).toBe(true);
    prover.gpu.free(key.buffers);
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
    for (const { name, source } of allKernels("unrolled")) {
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
