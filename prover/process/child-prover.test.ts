/** Real child processes with real proofs. */
import { spawn } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { verifyProof } from "../formats/verification-key.ts";
import { developmentSetup } from "../keys/development-setup.ts";
import type { ProvingCircuit } from "../proving/prover.ts";
import { compileSample, scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { ChildProver, type ChildProverOptions } from "./child-prover.ts";
import { readProverConfig } from "./prover-config.ts";

/** Kinds of the messages that provers sent to their processes. */
const sent: string[] = [];
vi.mock("node:child_process", async (original) => {
  const real = await original<typeof import("node:child_process")>();
  const spawn = (
    command: string,
    args: readonly string[],
    options: import("node:child_process").SpawnOptions,
  ) => {
    const child = real.spawn(command, args, options);
    const send = child.send?.bind(child) as ((...input: unknown[]) => boolean) | undefined;
    if (send !== undefined) {
      child.send = (...input: unknown[]) => {
        sent.push((input[0] as { kind: string }).kind);
        return send(...input);
      };
    }
    return child;
  };
  return { ...real, spawn };
});

const folder = await scratchFolder();
/** A process starts in seconds, on a busy machine in many. */
const PATIENT = { timeout: 60_000 };
const logged: string[] = [];
const logger = {
  info: (_facts: object, message: string) => logged.push(message),
  warn: (_facts: object, message: string) => logged.push(message),
  error: (facts: object, message: string) => logged.push(`${message}: ${JSON.stringify(facts)}`),
};
const open: ChildProver[] = [];
let circuit: ProvingCircuit;

function start(options: Partial<ChildProverOptions> = {}): ChildProver {
  const config = { ...readProverConfig({ PROVER_BACKEND: "wasm" }), logLevel: "silent" as const };
  const prover = new ChildProver(
    { ...config, logTo: 2, idleMs: null, firstBackoffMs: 10, ...options },
    { logger },
  );
  open.push(prover);
  return prover;
}

const inputsOf = (w: bigint) => ({ x: 3n, w });
const isThere = (id: number) =>
  existsSync(`/proc/${id}`) && !/\) [ZX] /.test(readFileSync(`/proc/${id}/stat`, "utf8"));
/** Waits until the prover's process runs, and returns its id. */
async function processOf(prover: ChildProver): Promise<number> {
  await expect.poll(() => prover.state.isReady, PATIENT).toBe(true);
  return prover.state.processId!;
}

beforeAll(async () => {
  circuit = await developmentSetup(await compileSample(4), { cacheDir: folder });
}, 300_000);
afterEach(async () => {
  logged.length = 0;
  for (const prover of open.splice(0)) await prover.close();
});

describe("ChildProver", () => {
  test("ends with a parent that ends while it starts", async () => {
    const entry = [join(repositoryRoot, "scripts/start.js"), join(repositoryRoot, "prover/process/main.ts")];
    const child = spawn(process.execPath, entry, {
      env: { ...process.env, PROVER_BACKEND: "wasm", PROVER_LOG_LEVEL: "silent" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    child.disconnect();
    expect(await once(child, "exit")).toEqual([0, null]);
  }, 60_000);

  test("proves in its process, and tells the stages", async () => {
    const prover = start();
    const stages: string[] = [];
    const result = await prover.prove(
      { circuit, inputs: inputsOf(2n) },
      { onProgress: ({ stage }) => stages.push(stage) },
    );
    expect(result.backend).toBe("wasm");
    expect(verifyProof(circuit.verificationKey, result.proof, result.publicSignals)).toBe(true);
    expect(stages).toEqual(["witness", "prove", "verify"]);
    expect(prover.state).toMatchObject({
      isReady: true,
      backend: "wasm",
      restartCount: 0,
      failingCode: null,
    });
    await expect.poll(() => prover.state.memoryBytes, PATIENT).toBeGreaterThan(10_000_000);
    const id = prover.state.processId!;
    await prover.close();
    expect(isThere(id)).toBe(false);
  }, 120_000);

  test("hands out the refusal of a job as the process has it, and goes on", async () => {
    const prover = start();
    await expect(prover.prove({ circuit, inputs: inputsOf(0n) })).rejects.toMatchObject({
      code: "PRV_NO_WITNESS",
      isRetryable: false,
    });
    const cancelling = new AbortController();
    const cancelled = prover.prove({ circuit, inputs: inputsOf(2n) }, { signal: cancelling.signal });
    cancelling.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "PRV_CANCELLED" });
    expect((await prover.prove({ circuit, inputs: inputsOf(3n) })).publicSignals[1]).toBe(3n);
    expect(prover.state.restartCount).toBe(0);
  }, 120_000);

  test("has the next job beside a proof: it ends in its turn, and goes to another process if this one ends", async () => {
    const prover = start();
    const id = await processOf(prover);
    const ended: string[] = [];
    const prove = (name: string, w: bigint, signal?: AbortSignal) =>
      prover
        .prove({ circuit, inputs: inputsOf(w) }, signal === undefined ? {} : { signal })
        .then(
          () => "proven",
          ({ code }: { code: string }) => code,
        )
        .finally(() => ended.push(name));
    const stop = new AbortController();
    const jobs = [
      prove("first", 2n),
      prove("cancelled", 2n, stop.signal),
      prove("refused", 0n),
      prove("last", 3n),
    ];
    stop.abort();
    expect(await Promise.all(jobs)).toEqual(["proven", "PRV_CANCELLED", "PRV_NO_WITNESS", "proven"]);
    expect(ended).toEqual(["cancelled", "first", "refused", "last"]);
    const whole = new AbortController();
    sent.length = 0;
    await Promise.all([2n, 3n, 2n].map((w) => prove("heard", w, whole.signal)));
    expect(sent).toEqual(["prove", "prove", "prove"]);
    expect(getEventListeners(whole.signal, "abort")).toEqual([]);
    process.kill(id, "SIGSTOP");
    const both = [prove("running", 2n), prove("next", 2n)];
    process.kill(id, "SIGKILL");
    expect(await Promise.all(both)).toEqual(["PRV_WORKER_DIED", "proven"]);
    expect(prover.state.restartCount).toBe(1);
  }, 180_000);

  test("starts again after kill -9, whether it had a job or not", async () => {
    const prover = start();
    process.kill(await processOf(prover), "SIGKILL");
    await expect.poll(() => prover.state.restartCount, PATIENT).toBe(1);
    const id = await processOf(prover);
    process.kill(id, "SIGSTOP");
    const question = expect(prover.prove({ circuit, inputs: inputsOf(2n) })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      isRetryable: true,
    });
    process.kill(id, "SIGKILL");
    await question;
    expect(prover.state.failingCode).toBe("PRV_WORKER_DIED");
    expect((await prover.prove({ circuit, inputs: inputsOf(2n) })).publicSignals[1]).toBe(3n);
    expect(prover.state).toMatchObject({ restartCount: 2, failingCode: null });
  }, 180_000);

  test("ends a process that hangs, one that takes too long, and one that takes too much memory", async () => {
    const hanging = start({ stallMs: 2_000 });
    process.kill(await processOf(hanging), "SIGSTOP");
    await expect.poll(() => logged.join(), PATIENT).toContain("it was silent for 2000 ms");
    await hanging.close();
    const slow = start({ timeoutMs: 1 });
    await expect(slow.prove({ circuit, inputs: inputsOf(2n) })).rejects.toMatchObject({
      code: "PRV_WORKER_DIED",
      data: { reason: "a proof took more than 1 ms" },
    });
    await slow.close();
    start({ memoryLimitMb: 1 });
    await expect.poll(() => logged.join(), PATIENT).toContain("it takes more than 1 MiB of memory");
  }, 180_000);

  test("says why no process can be used, with longer and longer pauses between its tries", async () => {
    const prover = start({ backend: "webgpu", webgpuAdapter: "hardware", firstBackoffMs: 100 });
    await expect(prover.prove({ circuit, inputs: inputsOf(2n) })).rejects.toMatchObject({
      code: "PRV_GPU_UNAVAILABLE",
    });
    expect(prover.state).toMatchObject({ isReady: false, failingCode: "PRV_GPU_UNAVAILABLE" });
    await expect.poll(() => prover.state.restartCount, PATIENT).toBe(2);
    expect(prover.state.failingCode).toBe("PRV_GPU_UNAVAILABLE");
  }, 180_000);

  test("starts for a job and ends when idle, where it is told to", async () => {
    const prover = start({ idleMs: 300 });
    expect(prover.state.processId).toBeNull();
    await prover.prove({ circuit, inputs: inputsOf(2n) });
    await expect.poll(() => prover.state.processId, PATIENT).toBeNull();
    expect(prover.state.failingCode).toBeNull();
    expect((await prover.prove({ circuit, inputs: inputsOf(2n) })).publicSignals[1]).toBe(3n);
  }, 120_000);

  test("ends with its parent, also on kill -9, and has none of the parent's secrets", async () => {
    const script = `
      import { ChildProver } from "./prover/process/child-prover.ts";
      import { readProverConfig } from "./prover/process/prover-config.ts";
      const logger = { info() {}, warn() {}, error() {} };
      const config = { ...readProverConfig({ PROVER_BACKEND: "wasm" }), logLevel: "silent" };
      const prover = new ChildProver({ ...config, logTo: 2, idleMs: null }, { logger });
      setInterval(() => prover.state.isReady && console.log(prover.state.processId), 100);
    `;
    const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      env: {
        ...process.env,
        SEQUENCER_OPERATOR_TOKEN: "a-secret-of-the-parent",
        PROVER_DATABASE_URL: "postgres://secret@database/secret",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const id = Number(line.toString().split("\n")[0]);
    expect(isThere(id)).toBe(true);
    const environment = readFileSync(`/proc/${id}/environ`, "utf8");
    expect(environment).toContain("PROVER_BACKEND=wasm");
    expect(environment).not.toContain("secret");
    parent.kill("SIGKILL");
    await expect.poll(() => isThere(id), PATIENT).toBe(false);
  }, 120_000);
});
