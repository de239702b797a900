import { expect, it } from "vitest";
import { BACKEND_NAMES } from "./backends.ts";
import { chooseBackend, machineProbe, type Probe } from "./choose-backend.ts";

const never = () => Promise.reject(new Error("nobody asks for this"));
const NO_CARD = { missing: "there is no graphics card" };
/** A machine without a card. */
const machine = (probe: Partial<Probe>): { probe: Probe } => ({
  probe: { findCard: async () => NO_CARD, findNative: never, measure: never, ...probe },
});
const native = (...paths: ("ifma" | "portable")[]) => ({ findNative: async () => ({ paths: () => paths }) });

it("takes a name as it is, and looks at nothing", async () => {
  for (const name of BACKEND_NAMES)
    expect(await chooseBackend(name, machine({ findCard: never }))).toEqual({
      backend: name,
      reason: `${name}, as named`,
    });
});

it("takes a card where there is one and it is wanted", async () => {
  const withCard = machine({ findCard: async () => ({ name: "nvidia h200" }), ...native("ifma") });
  expect(await chooseBackend("auto", withCard)).toEqual({
    backend: "webgpu",
    reason: "webgpu, since there is nvidia h200",
  });
  expect((await chooseBackend("auto", { ...withCard, withCard: false })).backend).toBe("native");
});

it("takes native with AVX-512 IFMA, and WebAssembly where native is not built", async () => {
  expect(await chooseBackend("auto", machine(native("ifma", "portable")))).toEqual({
    backend: "native",
    reason: "native, since the processor has AVX-512 IFMA",
  });
  expect(await chooseBackend("auto", machine({ findNative: async () => null }))).toEqual({
    backend: "wasm",
    reason: "wasm, since the native one is not built, and there is no graphics card",
  });
});

it("measures where native has its portable path alone, and says both times", async () => {
  const measured = (nativeMs: number, wasmMs: number | null) =>
    chooseBackend("auto", machine({ ...native("portable"), measure: async () => ({ nativeMs, wasmMs }) }));
  expect(await measured(22.04, 18)).toEqual({
    backend: "wasm",
    reason:
      "wasm, which is faster here: wasm takes 18.0 ms, native takes 22.0 ms for a sum of 1024 points without AVX-512 IFMA, and there is no graphics card",
  });
  expect((await measured(10, 18)).backend).toBe("native");
  expect((await measured(10, null)).backend).toBe("native");
});

it("finds a back end on this machine that computes", async () => {
  const { backend } = await chooseBackend("auto");
  const addon = await machineProbe.findNative();
  if (addon === null) expect(["wasm", "webgpu"]).toContain(backend);
  else if (addon.paths().includes("ifma")) expect(["native", "webgpu"]).toContain(backend);
  else {
    const { nativeMs, wasmMs } = await machineProbe.measure();
    expect(nativeMs).toBeGreaterThan(0);
    expect(wasmMs).toBeGreaterThan(0);
  }
  expect(BACKEND_NAMES).toContain(backend);
});
