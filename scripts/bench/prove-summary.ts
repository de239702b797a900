/** Summary of `npm run bench -- prove`: medians in milliseconds, ratios, and the parts of a proof. */
import type { BenchCase } from "./prove-case.ts";
import type { ChildAnswer } from "./prove-child.ts";
import type { Contestant } from "./prove-contestants.ts";

export type Run = ChildAnswer & { ok: true };

/**
 * The phases of a proof in the order in which they run, by the names that the back ends give them. Times of the five
 * sums are of all threads together, so that they add up to more than `sums`, which is by the clock.
 */
const PHASES: readonly { readonly label: string; readonly names: readonly string[] }[] = [
  { label: "digits", names: ["digitsMs", "digits"] },
  { label: "A, B times witness", names: ["rowsMs", "matrices"] },
  { label: "transforms", names: ["quotientMs", "quotient", "transformsMs"] },
  { label: "sums", names: ["sumsMs", "sums"] },
  { label: "A", names: ["aMs", "sumA"] },
  { label: "B1", names: ["b1Ms", "sumB1"] },
  { label: "B2", names: ["b2Ms", "sumB2"] },
  { label: "C", names: ["cMs"] },
  { label: "H", names: ["hMs"] },
  { label: "C and H", names: ["sumCH"] },
  { label: "assembly", names: ["assemblyMs", "finish"] },
];

type ByContestant<T> = Record<Contestant | "webgpu", T | null>;

/** Ratios above 1: ours is faster. What did not run is null. */
export function summarise(
  bench: BenchCase,
  runs: ReadonlyMap<Contestant, readonly Run[]>,
  cold: ReadonlyMap<Contestant, Run>,
) {
  const every = <T>(value: (who: Contestant) => T | null): ByContestant<T> => {
    const names = ["snarkjs", "wasm", "native", "webgpu", "rapidsnark", "gnark"] as Contestant[];
    return Object.fromEntries(names.map((who) => [who, value(who)])) as ByContestant<T>;
  };
  const medianOf = (field: "proveMs" | "cpuMs" | "keyMs") =>
    every((who) => {
      const values = (runs.get(who) ?? []).flatMap((run) => run[field] ?? []);
      return values.length === 0 ? null : Math.round(median(values));
    });
  const [medianMs, cpuMs] = [medianOf("proveMs"), medianOf("cpuMs")];
  const ratiosOf = (times: ByContestant<number>) => {
    const ratio = (ours: Contestant, peer: Contestant) => {
      const [a, b] = [times[ours], times[peer]];
      return a === null || b === null ? null : Math.round((100 * b) / a) / 100;
    };
    return {
      wasmToSnarkjs: ratio("wasm", "snarkjs"),
      nativeToSnarkjs: ratio("native", "snarkjs"),
      webgpuToSnarkjs: ratio("webgpu" as Contestant, "snarkjs"),
      wasmToRapidsnark: ratio("wasm", "rapidsnark"),
      nativeToRapidsnark: ratio("native", "rapidsnark"),
      wasmToGnark: ratio("wasm", "gnark"),
      nativeToGnark: ratio("native", "gnark"),
      nativeToWasm: ratio("native", "wasm"),
    };
  };
  return {
    constraints: bench.constraints,
    domainLog2: bench.domainLog2,
    medianMs,
    peakMb: every((who) => {
      const peaks = (runs.get(who) ?? []).map((run) => run.peakMb);
      return peaks.length === 0 ? null : Math.round(Math.max(...peaks));
    }),
    ratios: ratiosOf(medianMs),
    /** Processor time of whole calls, verification included, and its ratios: for busy machines. */
    cpuMs,
    cpuRatios: ratiosOf(cpuMs),
    /** The first proof of a process, reading the key included. */
    coldMs: every((who) => {
      const run = cold.get(who);
      return run === undefined ? null : Math.round(run.proveMs + (run.keyMs ?? 0));
    }),
    keyColdMs: every((who) => round(cold.get(who)?.keyMs)),
    keyResidentMs: medianOf("keyMs"),
    witnessMs: bench.witnessMs,
    setup: bench.setup,
    phases: every((who) => phasesOf(runs.get(who) ?? [])),
  };
}

type Summary = ReturnType<typeof summarise>;

/** Readable lines. */
export function breakdown(row: Summary): string[] {
  const lines = [`processor time: ${JSON.stringify(row.cpuRatios)}`, `witness ${row.witnessMs} ms`];
  for (const [who, phases] of Object.entries(row.phases)) {
    if (phases === null) continue;
    const name = who as Contestant;
    const parts = Object.entries(phases).map(([label, ms]) => `${label} ${ms}`);
    lines.push(
      `${who}, ms: key ${row.keyColdMs[name]} cold and ${row.keyResidentMs[name]} resident, ${parts.join(", ")}`,
    );
  }
  return lines;
}

function phasesOf(runs: readonly Run[]): Record<string, number> | null {
  const phases: Record<string, number> = {};
  for (const { label, names } of PHASES) {
    const values = runs.flatMap((run) => names.flatMap((name) => run.phases?.[name] ?? []));
    if (values.length > 0) phases[label] = Math.round(median(values));
  }
  // Others by their back end's names.
  const known = new Set(PHASES.flatMap(({ names }) => names));
  for (const name of Object.keys(runs[0]?.phases ?? {})) {
    if (!known.has(name)) phases[name] = Math.round(median(runs.flatMap((run) => run.phases?.[name] ?? [])));
  }
  return Object.keys(phases).length === 0 ? null : phases;
}

function round(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Math.round(value);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
