/**
 * Measures what the proof of a batch costs, for `npm run bench -- prove`: milliseconds of the proof and of reading the
 * key, processor time, peak memory. The prover's back ends (BACKEND_NAMES, snarkjs among them) and, if given,
 * rapidsnark and gnark prove the same witness by the same key, in turns. scripts/bench.ts prints the figures.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { BACKEND_NAMES, type BackendName } from "@openledger/prover/backends";
import { type BenchCase, ledgerCase } from "./prove-case.ts";
import { type Contestant, type Contestants, isPeer, PEERS, startContestants } from "./prove-contestants.ts";
import { breakdown, type Run, summarise } from "./prove-summary.ts";

/** Options as the command line gives them. */
export interface BenchProveOptions {
  /** log2 of the domains that the batches fill, 16 … 22, separated by commas: "16,18,20". */
  sizes: string;
  /** Number of counted proofs of each prover, in decimal digits. */
  rounds: string;
  /** BACKEND_NAMES to compare, separated by commas: "snarkjs,wasm". */
  backends: string;
  /** Path of a rapidsnark binary; absent: not compared. */
  rapidsnark?: string;
  /** Path of a prover of gnark-crypto's kernels that has rapidsnark's command line; absent: not compared. */
  gnark?: string;
  /** log2 of the domain whose proof on a card is counted instead, by card-work.ts. */
  count?: string;
  /** Path of a clone of build 7b597cf0, counted likewise. */
  before?: string;
  /** Take keys from the cache instead of making and timing them. */
  cachedKeys?: boolean;
}

export async function benchProve(options: BenchProveOptions) {
  const rounds = Number(options.rounds);
  const contestants: Contestant[] = parseBackends(options.backends);
  contestants.push(...PEERS.filter((peer) => options[peer] !== undefined));
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  console.log(
    `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, node ${process.version}; ` +
      `${contestants.join(", ")}: ${rounds} proofs each, in turns`,
  );
  const sizes = [];
  for (const size of options.sizes.split(",")) {
    // A folder of its own for each size: its key goes away before the next one is made.
    const folder = await mkdtemp(join(tmpdir(), "openledger-bench-"));
    const running = startContestants(options, folder);
    try {
      const bench = await ledgerCase(Number(size), folder, options.cachedKeys === true);
      sizes.push(await measure(bench, contestants, running, rounds));
    } finally {
      running.close();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { machine, rounds, sizes };
}

function parseBackends(list: string): BackendName[] {
  return list.split(",").map((name) => {
    const known = BACKEND_NAMES.find((backend) => backend === name);
    if (known === undefined) throw new Error(`back ends are ${BACKEND_NAMES.join(", ")}, not ${name}`);
    return known;
  });
}

async function measure(
  bench: BenchCase,
  contestants: readonly Contestant[],
  running: Contestants,
  rounds: number,
) {
  const runs = new Map<Contestant, Run[]>();
  const cold = new Map<Contestant, Run>();
  const prove = async (who: Contestant, label: string): Promise<Run | null> => {
    const answer = await running.prove(who, bench);
    if (!answer.ok) {
      console.log(`  ${who} did not run: ${answer.code} ${answer.message}`);
      runs.delete(who);
      return null;
    }
    const { proveMs, keyMs, cpuMs, peakMb } = answer;
    const key = keyMs === null ? "" : `, key ${Math.round(keyMs)} ms`;
    console.log(
      `  ${label}: ${who} ${Math.round(proveMs)} ms${key}, processor ${Math.round(cpuMs)} ms, peak ${Math.round(peakMb)} MB`,
    );
    return answer;
  };
  for (const who of contestants) {
    runs.set(who, []);
    // Our back ends cache the key: their first proof reads it and is listed apart. snarkjs and the peers read it always,
    // so that they have no cold proof; snarkjs' compiled code is warm within the first second of one.
    if (who === "snarkjs" || isPeer(who)) continue;
    const first = await prove(who, "cold");
    if (first !== null) cold.set(who, first);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const who of contestants) {
      const run = runs.has(who) ? await prove(who, `round ${round}`) : null;
      if (run !== null) runs.get(who)!.push(run);
    }
  }
  const row = summarise(bench, runs, cold);
  console.log(`2^${row.domainLog2}: ${JSON.stringify({ medianMs: row.medianMs, ratios: row.ratios })}`);
  for (const line of breakdown(row)) console.log(`  ${line}`);
  return row;
}
