/**
 * What a native proof needs of memory: keys in memory beside keys that are read from their files, in turns, each in a
 * process of its own, for batches that fill their domain. Linux only, since it reads /proc.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { openWitnessSource } from "@openledger/prover/internal/proving/witness-source";
import type { ChildAnswer, ChildRequest } from "./prove-child.ts";
import { median } from "./prove-summary.ts";
import { tableCase } from "./table/table-prove.ts";

export interface BenchMemoryOptions {
  /** log2 of domains, with commas. */
  readonly domain: string;
  readonly rounds: string;
  /**
   * Data that a prover's process may have, in GiB; 0 for no limit. The system refuses more (RLIMIT_DATA): heap, stacks and
   * buffers count, and pages of files do not.
   */
  readonly limitGib: string;
}

const WAYS = ["resident", "mapped"] as const;
type Way = (typeof WAYS)[number];

/** Peaks of a process, in MB: memory of its own, pages of files that it has mapped, both at once. */
interface Peaks {
  ownMb: number;
  fileMb: number;
  allMb: number;
}

const pollMs = 20;

export async function benchMemory(options: BenchMemoryOptions) {
  await initPoseidon();
  const limitGib = Number(options.limitGib);
  const sizes = [];
  for (const domain of options.domain.split(",")) {
    const folder = await mkdtemp(join(tmpdir(), "openledger-bench-"));
    const children: ChildProcess[] = [];
    try {
      const { circuit, inputs, name, constraints } = await tableCase("payments", 2 ** Number(domain));
      const source = await openWitnessSource(circuit.wasmPath);
      const wtnsPath = join(folder, "batch.wtns");
      await writeFile(wtnsPath, await source.calculate(inputs));
      await source.close();
      const keyMb = Math.round((await stat(circuit.zkeyPath)).size / 1e6);
      console.log(`2^${domain}: ${name}, ${constraints} constraints, a key of ${keyMb} MB`);
      const request: ChildRequest = { circuit, wtnsPath };
      const provers = WAYS.map((way) => {
        const child = startProver(way, limitGib);
        children.push(child);
        return { way, child, runs: [] as (ChildAnswer & { ok: true })[], peaks: watch(child) };
      });
      const failed = new Map<Way, string>();
      // One round more than is counted: the first opens the key.
      for (let round = 0; round <= Number(options.rounds); round++)
        for (const { way, child, runs, peaks } of provers) {
          if (failed.has(way)) continue;
          const answer = await ask(child, request);
          if (answer.ok) runs.push(answer);
          else failed.set(way, answer.message);
          const { ownMb, fileMb } = peaks();
          const time = answer.ok
            ? `key ${Math.round(answer.keyMs!)} ms, proof ${Math.round(answer.proveMs)} ms, processor ${Math.round(answer.cpuMs)} ms`
            : `did not run: ${answer.message}`;
          console.log(
            `  ${way}, round ${round}: ${time}; own memory ${ownMb} MB, pages of files ${fileMb} MB`,
          );
        }
      const row = ({ way, runs, peaks }: (typeof provers)[number]) => {
        const middle = (field: "proveMs" | "cpuMs") => {
          const counted = runs.slice(1).map((run) => run[field]);
          return counted.length === 0 ? null : Math.round(median(counted));
        };
        const first = runs[0];
        return {
          ...peaks(),
          keyMs: first === undefined ? null : Math.round(first.keyMs!),
          proveMs: middle("proveMs"),
          cpuMs: middle("cpuMs"),
          failure: failed.get(way) ?? null,
        };
      };
      sizes.push({
        ...{ domainLog2: Number(domain), name, constraints, keyMb },
        ...Object.fromEntries(provers.map((prover) => [prover.way, row(prover)])),
      });
    } finally {
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { limitGib: limitGib === 0 ? null : limitGib, rounds: Number(options.rounds), sizes };
}

function startProver(way: Way, limitGib: number): ChildProcess {
  const child = join(repositoryRoot, "scripts", "bench", "prove-child.ts");
  const command = [process.execPath, "--import", "tsx", child, "native", way];
  const limited = limitGib === 0 ? command : ["prlimit", `--data=${limitGib * 2 ** 30}`, "--", ...command];
  const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
  return spawn(limited[0]!, limited.slice(1), { serialization: "advanced", stdio: [...stdio] });
}

function ask(child: ChildProcess, request: ChildRequest): Promise<ChildAnswer> {
  return new Promise((resolve) => {
    const onExit = (code: number | null, signal: string | null) =>
      resolve({ ok: false, code: "PRV_PROVE_FAILED", message: `its process ended with ${code ?? signal}` });
    child.once("exit", onExit);
    child.once("message", (answer: ChildAnswer) => {
      child.off("exit", onExit);
      resolve(answer);
    });
    child.send(request);
  });
}

/** Looks at the process from now on; what it gives is the peaks so far. */
function watch(child: ChildProcess): () => Peaks {
  const peaks: Peaks = { ownMb: 0, fileMb: 0, allMb: 0 };
  const poll = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    const megabytes = (field: string) =>
      Math.round((Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024) / 1e6);
    // Buffers that JavaScript shares between threads are "shared" pages of no file.
    peaks.ownMb = Math.max(peaks.ownMb, megabytes("RssAnon") + megabytes("RssShmem"));
    peaks.fileMb = Math.max(peaks.fileMb, megabytes("RssFile"));
    peaks.allMb = Math.max(peaks.allMb, megabytes("VmHWM"));
  }, pollMs);
  child.once("exit", () => clearInterval(poll));
  return () => ({ ...peaks });
}
