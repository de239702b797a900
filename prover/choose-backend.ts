/**
 * Choice of the back end that makes proofs by default: the one that a probe of this machine finds fastest. A
 * proving process asks it once at its start.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { BACKEND_NAMES, type BackendName } from "./backends.ts";
import type { NativeAddon } from "./native/native-addon.ts";

/** Values of the back end setting; "auto" probes the machine. */
export const BACKEND_CHOICES = ["auto", ...BACKEND_NAMES] as const;
export type BackendChoice = (typeof BACKEND_CHOICES)[number];

export interface ChosenBackend {
  readonly backend: BackendName;
  /** Explanation in one line: the back end, and why. */
  readonly reason: string;
}

/** Probe of the machine. */
export interface Probe {
  /** Finds the graphics card: its name, or the reason why there is none. */
  findCard(): Promise<{ readonly name: string } | { readonly missing: string }>;
  /** The native prover's addon; null if it is not built. */
  findNative(): Promise<Pick<NativeAddon, "paths"> | null>;
  /**
   * Times of the same sum of points by each back end, on one thread, in milliseconds. WebAssembly's is null
   * if the engine lacks a feature that it needs.
   */
  measure(): Promise<{ readonly nativeMs: number; readonly wasmMs: number | null }>;
}

/**
 * Chooses the back end. A name is returned unchanged. "auto" probes the machine, within half a second: a
 * graphics card that is not software; else the native back end if the processor has AVX-512 IFMA; else the
 * faster of the native and the WebAssembly one, by a sum of points. The choice is made once: if the chosen
 * one fails later, no other takes its place.
 *
 * @param withCard whether a graphics card may be used
 */
export async function chooseBackend(
  choice: BackendChoice,
  { withCard = true, probe = machineProbe }: { withCard?: boolean; probe?: Probe } = {},
): Promise<ChosenBackend> {
  if (choice !== "auto") return { backend: choice, reason: `${choice}, as named` };
  const card = withCard ? await probe.findCard() : { missing: "no card is asked for" };
  if ("name" in card) return { backend: "webgpu", reason: `webgpu, since there is ${card.name}` };
  const native = await probe.findNative();
  if (native === null)
    return { backend: "wasm", reason: `wasm, since the native one is not built, and ${card.missing}` };
  if (native.paths().includes("ifma"))
    return { backend: "native", reason: "native, since the processor has AVX-512 IFMA" };
  const { nativeMs, wasmMs } = await probe.measure();
  const nativeTook = `native takes ${nativeMs.toFixed(1)} ms`;
  if (wasmMs === null)
    return { backend: "native", reason: "native, since this engine lacks relaxed SIMD for wasm" };
  const wasmTook = `wasm takes ${wasmMs.toFixed(1)} ms`;
  const sum = `for a sum of ${POINT_COUNT} points without AVX-512 IFMA, and ${card.missing}`;
  return nativeMs < wasmMs
    ? { backend: "native", reason: `native, which is faster here: ${nativeTook}, ${wasmTook} ${sum}` }
    : { backend: "wasm", reason: `wasm, which is faster here: ${wasmTook}, ${nativeTook} ${sum}` };
}

const POINT_COUNT = 1024;
/**
 * Rounds of a measurement, of which the best counts: on a busy machine, or while an engine still compiles,
 * single times say little.
 */
const ROUNDS = 4;
/**
 * Device files of graphics cards on Linux. Without one of them there is no card, and Dawn need not be loaded.
 */
const LINUX_CARDS = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd"];

export const machineProbe: Probe = {
  async findCard() {
    if (process.platform === "linux" && !LINUX_CARDS.some((path) => existsSync(path)))
      return { missing: "there is no graphics card" };
    try {
      const { GpuDevice } = await import("./webgpu/gpu-device.ts");
      const device = await GpuDevice.open("hardware");
      const name = device.adapterName;
      device.close();
      return { name };
    } catch (error) {
      if (!isRollupError(error, "PRV_GPU_UNAVAILABLE")) throw error;
      return { missing: `no graphics card can be used (${error.message})` };
    }
  },
  async findNative() {
    const { loadNativeAddon } = await import("./native/native-addon.ts");
    try {
      return loadNativeAddon();
    } catch (error) {
      if (!isRollupError(error, "PRV_NATIVE_UNAVAILABLE")) throw error;
      return null;
    }
  },
  async measure() {
    const { loadNativeAddon } = await import("./native/native-addon.ts");
    const { buildKernelImage } = await import("./wasm/kernels/kernel-module.ts");
    const { multiplyPoints, paths } = loadNativeAddon();
    const [path] = paths();
    const scalars = randomScalars();
    const sumNatively = (points: Uint8Array) => multiplyPoints(path!, false, points, scalars, 1, 0);
    let image: ReturnType<typeof buildKernelImage>;
    try {
      image = buildKernelImage();
    } catch {
      // The module is right: an engine that refuses it has no relaxed SIMD, or its processor no fused multiply-add.
      return { nativeMs: 0, wasmMs: null };
    }
    const { FixedBase } = await import("./keys/fixed-base.ts");
    const { OneThreadSums } = await import("./wasm/one-thread-sums.ts");
    const points = new FixedBase(image, "g1", TABLE_BITS).multiply(scalars);
    const sums = new OneThreadSums(image, points);
    sums.load(scalars);
    return { nativeMs: bestMs(() => sumNatively(points)), wasmMs: bestMs(() => sums.sum()) };
  },
};

/** Window bits of the table that makes the points. A small table is built faster. */
const TABLE_BITS = 6;
const SCALAR_BYTES = 32;

/** Random scalars below the group's order, which has 254 bits. */
function randomScalars(): Uint8Array {
  const scalars = randomBytes(POINT_COUNT * SCALAR_BYTES);
  for (let at = SCALAR_BYTES - 1; at < scalars.length; at += SCALAR_BYTES) scalars[at]! &= 0x1f;
  return scalars;
}

function bestMs(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ROUNDS; i++) {
    const from = performance.now();
    work();
    best = Math.min(best, performance.now() - from);
  }
  return best;
}
