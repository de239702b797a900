import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { afterAll, describe, expect, test } from "vitest";
import { BackendWorld, inputs, testBackend } from "../testing/backend-suite.fixtures.ts";
import { createSnarkjsProver } from "./snarkjs-backend.ts";

const world = await BackendWorld.make();
const prover = createSnarkjsProver();
afterAll(() => prover.close());

describe("createSnarkjsProver", () => {
  testBackend(world, "snarkjs", createSnarkjsProver);

  test("passes on what circom says of inputs without a witness", async () => {
    const { circuit } = world;
    await expect(prover.prove({ circuit, inputs: { x: 3n, w: 0n } })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
      message: expect.stringContaining("Sample"),
    });
  });

  test("reports a process that dies as retryable, and starts another one", async () => {
    const kill = () => void process.kill(prover.workerPid!, "SIGKILL");
    await expect(
      prover.prove({ circuit: world.circuit, inputs }, { onProgress: kill }),
    ).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    expect((await prover.prove({ circuit: world.circuit, inputs })).backend).toBe("snarkjs");
  });

  test("kills a process that hangs in a stage, and starts another one", async () => {
    const hanging = createSnarkjsProver({ stageTimeoutMs: 15_000 });
    const stop = () => void process.kill(hanging.workerPid!, "SIGSTOP");
    await expect(
      hanging.prove({ circuit: world.circuit, inputs }, { onProgress: stop }),
    ).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      data: { reason: "a stage took more than 15000 ms" },
    });
    expect((await hanging.prove({ circuit: world.circuit, inputs })).backend).toBe("snarkjs");
    await hanging.close();
  });

  test("runs under tsx from any working directory, and an idle prover does not hold the process", async () => {
    const backendUrl = new URL("./snarkjs-backend.ts", import.meta.url).href;
    const text = (value: unknown) =>
      JSON.stringify(value, (_key, field: unknown) => (typeof field === "bigint" ? `${field}n` : field));
    const script = `
      const { createSnarkjsProver } = await import(${JSON.stringify(backendUrl)});
      const circuit = JSON.parse(${JSON.stringify(text(world.circuit))}, (_key, field) =>
        typeof field === "string" && /^\\d+n$/.test(field) ? BigInt(field.slice(0, -1)) : field);
      const result = await createSnarkjsProver().prove({ circuit, inputs: { x: 3n, w: 5n } });
      console.log(result.publicSignals[1].toString());`;
    const child = spawn(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), "--input-type=module", "--eval", script],
      { cwd: tmpdir(), stdio: ["ignore", "pipe", "inherit"], timeout: 120_000 },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const status = await new Promise((settle) => child.once("close", settle));
    expect({ status, output }).toEqual({ status: 0, output: "3\n" });
  });
});
