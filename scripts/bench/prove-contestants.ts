/**
 * Provers that `npm run bench -- prove` compares, each in a process of its own, so that memory and processor time are its own.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { type Groth16Proof, realFirst } from "@openledger/circuits/wire/groth16-proof";
import type { BackendName } from "@openledger/prover/backends";
import { verifyProof } from "@openledger/prover/formats/verification-key";
import type { BenchCase } from "./prove-case.ts";
import type { ChildAnswer, ChildMessage, ChildRequest } from "./prove-child.ts";

/** Provers with rapidsnark's command line: KEY WITNESS PROOF PUBLIC. */
export const PEERS = ["rapidsnark", "gnark"] as const;
type Peer = (typeof PEERS)[number];
export type Contestant = BackendName | Peer;
export const isPeer = (who: Contestant): who is Peer => PEERS.some((peer) => peer === who);

export interface Contestants {
  /** One proof, verified. Rejects if the process ends; failures that the prover reports are answers. */
  prove(who: Contestant, bench: BenchCase): Promise<ChildAnswer>;
  close(): void;
}

/** @param folder where peers write their proofs */
export function startContestants(peers: Partial<Record<Peer, string>>, folder: string): Contestants {
  const children = new Map<BackendName, ChildProcess>();
  return {
    prove(who, bench) {
      if (isPeer(who)) return runPeer(who, peers[who]!, bench, folder);
      const child = children.get(who) ?? startChild(who);
      children.set(who, child);
      return ask(child, { circuit: bench.circuit, wtnsPath: bench.wtnsPath });
    },
    close() {
      for (const child of children.values()) child.kill("SIGKILL");
    },
  };
}

export function startChild(who: BackendName): ChildProcess {
  return fork(join(repositoryRoot, "scripts", "bench", "prove-child.ts"), [who], {
    execArgv: ["--import", "tsx"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

let requestCount = 0;

/** Several may be asked at once; the prover takes them in their order. */
export function ask(child: ChildProcess, request: ChildRequest): Promise<ChildAnswer> {
  const id = requestCount++;
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a prover's process ended with ${code}`));
    const onMessage = (message: ChildMessage) => {
      if (message.id !== id) return;
      child.off("exit", onExit);
      child.off("message", onMessage);
      resolve(message.answer);
    };
    child.on("exit", onExit);
    child.on("message", onMessage);
    child.send({ ...request, id });
  });
}

const pollMs = 20;

/** A peer's command line reads the key again for every proof; its process is timed whole, as its users run it. */
async function runPeer(
  who: Peer,
  binary: string,
  { circuit, wtnsPath }: BenchCase,
  folder: string,
): Promise<ChildAnswer> {
  const [proofPath, publicPath] = [join(folder, "proof.json"), join(folder, "public.json")];
  const startedAtMs = performance.now();
  const child = spawn(binary, [circuit.zkeyPath, wtnsPath, proofPath, publicPath], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let used = { peakMb: 0, cpuMs: 0 };
  const poll = setInterval(() => (used = readUsage(child.pid) ?? used), pollMs);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  }).finally(() => clearInterval(poll));
  const proveMs = performance.now() - startedAtMs;
  if (exitCode !== 0)
    return { ok: false, code: "PRV_PROVE_FAILED", message: `${who} ended with ${exitCode}` };
  const proof = fromSnarkjsProof(JSON.parse(await readFile(proofPath, "utf8")) as SnarkjsProof);
  const signals = JSON.parse(await readFile(publicPath, "utf8")) as string[];
  if (!verifyProof(circuit.verificationKey, proof, signals.map(BigInt)))
    return { ok: false, code: "PRV_PROOF_INVALID", message: `${who} made a proof that does not verify` };
  return { ok: true, proveMs, witnessMs: 0, keyMs: null, ...used, phases: null };
}

/** Linux' account of a running process, null if there is none: its last moments are lost. */
function readUsage(pid: number | undefined): { peakMb: number; cpuMs: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    // After the name in brackets: state, ten numbers, then user and system time in hundredths of a second.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    const peakKb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
    if (Number.isNaN(peakKb)) return null;
    return { peakMb: peakKb / 1024, cpuMs: 10 * (Number(fields[11]) + Number(fields[12])) };
  } catch {
    return null;
  }
}

interface SnarkjsProof {
  pi_a: string[];
  pi_b: string[][];
  pi_c: string[];
}

function fromSnarkjsProof({ pi_a, pi_b, pi_c }: SnarkjsProof): Groth16Proof {
  const pair = (values: readonly string[]): [bigint, bigint] => [BigInt(values[0]!), BigInt(values[1]!)];
  return { a: pair(pi_a), b: realFirst(pair(pi_b[0]!), pair(pi_b[1]!)), c: pair(pi_c) };
}
