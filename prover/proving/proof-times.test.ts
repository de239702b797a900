import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProver } from "../backends.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import { compileSample } from "../testing/sample-circuit.fixtures.ts";
import { ProofTimes } from "./proof-times.ts";
import { type ProofProgress, proveWithProgress } from "./prove-with-progress.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "proof-times-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kind = { contentHash: "0xab12", backend: "wasm" };

describe("ProofTimes", () => {
  it("remembers the median of the last nine across restarts, by circuit and back end", async () => {
    const times = new ProofTimes(folder);
    expect(await times.expectedMs(kind)).toBeNull();
    for (const tookMs of [90_000, 17_000, 16_000]) await times.note(kind, tookMs);
    expect(await new ProofTimes(folder).expectedMs(kind)).toBe(17_000);
    expect(await times.expectedMs({ ...kind, backend: "native" })).toBeNull();
    expect(await times.expectedMs({ ...kind, contentHash: "0xab13" })).toBeNull();
    for (let i = 0; i < 9; i++) await times.note(kind, 5_000 + i);
    expect(await times.expectedMs(kind), "the first three are forgotten").toBe(5_004);
  });

  it("takes a damaged file, and a folder that cannot be, for none", async () => {
    const times = new ProofTimes(folder);
    await times.note(kind, 5);
    const [name] = await readdir(folder);
    await writeFile(join(folder, name!), '{"tookMs":["soon"]}');
    expect(await times.expectedMs(kind)).toBeNull();
    await times.note(kind, 7);
    expect(await times.expectedMs(kind)).toBe(7);
    const nowhere = new ProofTimes(join(folder, name!, "below-a-file"));
    await nowhere.note(kind, 5);
    expect(await nowhere.expectedMs(kind)).toBeNull();
  });

  it("lets the next proof's percentage come from the last one's time", async () => {
    const circuit = await developmentSetup(await compileSample(600), { cacheDir: join(folder, "keys") });
    const prover = await createProver("wasm");
    const times = new ProofTimes(join(folder, "times"));
    try {
      const job = { circuit, inputs: { x: 3n, w: 5n } };
      await proveWithProgress(prover, job, { times });
      const { contentHash } = circuit;
      const tookMs = await times.expectedMs({ contentHash, backend: prover.backend });
      expect(tookMs).toBeGreaterThan(0);
      // The last one took a day, by its file: the percentage creeps.
      for (let i = 0; i < 9; i++) await times.note({ contentHash, backend: prover.backend }, 8.64e7);
      const seen: ProofProgress[] = [];
      await proveWithProgress(prover, job, {
        times,
        tickMs: 1,
        onProgress: (progress) => seen.push(progress),
      });
      const within = seen.filter(({ percent, stage }) => stage === "prove" && percent > 12 && percent < 97);
      for (const { percent } of within) expect(percent).toBeLessThan(13);
    } finally {
      await prover.close();
    }
  });
});
