import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type MadeName, madeConfigs, makeModel, writeMadeModel } from "../../testing/made-models.ts";
import { decodeFloats, toHalves } from "./float-formats.ts";
import { folderSource } from "./folder-source.ts";
import { loadModel, openModel } from "./load-model.ts";
import { encodeTensors } from "./safetensors.ts";
import { encodeModel } from "./write-model.ts";

const folder = mkdtempSync(join(tmpdir(), "openledger-write-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function load(name: MadeName) {
  const opened = await openModel(folderSource(folder));
  const { model } = await loadModel(opened, { kernels: "wasm", maxRows: 4, isTraining: false });
  await opened.close();
  const write = (type: "F32" | "F16") =>
    encodeModel(model.shape, model.layout, model.kernels.arena, model.parameters, type);
  return { write, name };
}

describe("a model that is written", () => {
  it.each(["qwen2", "qwen3"] as const)("has the bytes that were read: %s", async (name) => {
    const made = makeModel(madeConfigs[name], name);
    await writeMadeModel(folder, made);
    const { write } = await load(name);
    expect(Buffer.from(write("F32")).equals(encodeTensors(made.tensors))).toBe(true);
    const halves = write("F16");
    await writeFile(join(folder, "model.safetensors"), halves);
    expect(Buffer.from((await load(name)).write("F16")).equals(halves)).toBe(true);
  });
});

describe("halves", () => {
  const halfOf = (value: number) => toHalves(Float32Array.of(value))[0]!;

  it("are what they were after the way to floats and back", () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, half) => half).filter(
      (half) => (half & 0x7c00) < 0x7c00,
    );
    const floats = decodeFloats(new Uint8Array(all.buffer), "F16", "all");
    expect(Buffer.from(toHalves(floats).buffer).equals(Buffer.from(all.buffer))).toBe(true);
  });

  it("are the nearest, and of two the even one", () => {
    expect(halfOf(1 + 2 ** -11)).toBe(0x3c00);
    expect(halfOf(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(halfOf(1 + 2 ** -11 + 2 ** -20)).toBe(0x3c01);
    expect(halfOf(-(2 ** -25))).toBe(0x8000);
    expect(halfOf(3 * 2 ** -25)).toBe(2);
    expect(halfOf(2 ** -14 - 2 ** -26)).toBe(0x400);
    expect(halfOf(65_519)).toBe(0x7bff);
    expect(halfOf(65_520)).toBe(0x7c00);
    expect(halfOf(-1e9)).toBe(0xfc00);
  });
});
