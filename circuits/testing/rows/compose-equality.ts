/**
 * Comparison of a composed circuit with the one that circom compiles whole: the same rows over the same
 * wires, up to the order of both. Signal names identify the wires, so no isomorphism has to be searched.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type CompiledCircuit, compileCircuit } from "../../compiler/compile.ts";
import { partShape } from "../../compiler/compose.ts";
import {
  type Composition,
  type CompositionLayout,
  compositionError,
  layOutComposition,
  readSymbols,
} from "../../compiler/compose-layout.ts";
import { wireMap } from "../../compiler/compose-r1cs.ts";
import { type R1csTerms, readR1cs } from "../../compiler/r1cs-reader.ts";
import { fromBytesBe, toBytesBe } from "../../field/element-vector.ts";
import { FIELD_ORDER } from "../../protocol.ts";
import { tableCircuitSpec } from "../../registry/circuit-registry.ts";
import type { TableShape } from "../../table/table-shape.ts";
import { SMALL_DEPTH, smallTableTester } from "../table-world.ts";

interface ComposedFiles {
  readonly r1csPath: string;
  readonly layout: CompositionLayout;
  /** Symbol files of the parts, in the composition's order. */
  readonly partSymPaths: readonly string[];
  readonly partWireCounts: readonly number[];
}

/**
 * Circom's wire of each composed wire: a bijection that keeps the public signals. By names; where circom has kept other
 * names of a wire, by the rows in which it is.
 * @throws RollupError CIR_COMPOSITION_INVALID if there is none
 */
export async function matchWires(
  composition: Composition,
  composed: ComposedFiles,
  compiled: { r1csPath: string; symPath: string },
): Promise<Uint32Array> {
  const { layout } = composed;
  const compiledWire = new Map<string, number>();
  for (const { wire, signal } of readSymbols(await readFile(compiled.symPath, "utf8")))
    compiledWire.set(signal, wire);
  const header = readR1cs(compiled.r1csPath);
  const { wireCount, publicOutputCount, publicInputCount } = header;
  if (wireCount !== layout.wireCount)
    throw compositionError(`${layout.wireCount} wires, circom has ${wireCount}`);
  if (publicOutputCount !== layout.publicOutputCount || publicInputCount !== layout.publicInputCount)
    throw compositionError("other numbers of public signals than circom's");

  const match = new Uint32Array(wireCount);
  const partSymbols = await Promise.all(
    composed.partSymPaths.map(async (path) => [...readSymbols(await readFile(path, "utf8"))]),
  );
  for (const [i, copy] of layout.copies.entries()) {
    const { component, netOf } = composition.copies[i]!;
    const map = wireMap(copy, composed.partWireCounts[copy.part]!);
    for (const { wire, signal } of partSymbols[copy.part]!) {
      const here = map[wire]!;
      const local = signal.slice(signal.indexOf(".") + 1);
      for (const name of [`${component}.${local}`, local.includes(".") ? "" : `main.${netOf(local)}`]) {
        const there = compiledWire.get(name);
        if (there === undefined) continue;
        if (match[here] !== 0 && match[here] !== there)
          throw compositionError(`${name} is circom's wire ${there}, and ${match[here]} under another name`);
        match[here] = there;
      }
    }
  }
  matchByRows(composed.r1csPath, compiled.r1csPath, match);
  for (let wire = 1; wire <= publicOutputCount + publicInputCount; wire++)
    if (match[wire] !== wire) throw compositionError(`the public signal ${wire} is circom's ${match[wire]}`);
  return match;
}

/** Completes the match. A wire's mark are its rows, with those of its neighbours that are known. */
function matchByRows(composedPath: string, compiledPath: string, match: Uint32Array): void {
  const taken = new Uint8Array(match.length);
  for (let wire = 1; wire < match.length; wire++) {
    const there = match[wire]!;
    if (there !== 0 && taken[there] === 1) throw compositionError(`two wires are circom's wire ${there}`);
    taken[there] = 1;
  }
  const open = match.reduce((sum, there, wire) => sum + (wire > 0 && there === 0 ? 1 : 0), 0);
  if (open === 0) return;
  const known = match.map((there, wire) => (wire === 0 || there !== 0 ? there : UNKNOWN));
  const ours = marksOf(composedPath, known);
  const theirs = marksOf(
    compiledPath,
    known.map((_, wire) => (taken[wire] === 1 || wire === 0 ? wire : UNKNOWN)),
  );
  const byMark = new Map<string, number[]>();
  for (const [wire, mark] of theirs) byMark.set(mark, [...(byMark.get(mark) ?? []), wire]);
  for (const [wire, mark] of ours) {
    const candidates = byMark.get(mark) ?? [];
    if (candidates.length !== 1)
      throw compositionError(
        `${candidates.length} of circom's wires stand in the rows of the composed wire ${wire}`,
      );
    match[wire] = candidates[0]!;
    byMark.set(mark, []);
  }
  if (ours.size !== open || theirs.size !== open)
    throw compositionError(
      `${open} wires have no name in common, ${ours.size} and ${theirs.size} stand in rows`,
    );
}

/** Stand for wires without a known counterpart in a row's hash: the one that is asked about, and any other. */
const SELF = 0xffff_fffe;
const UNKNOWN = 0xffff_ffff;

/** The rows of each wire that `known` maps to UNKNOWN. */
function marksOf(path: string, known: Uint32Array): Map<number, string> {
  const rows = new Map<number, string[]>();
  readR1cs(path, (window, ...abc) => {
    const sides = abc.slice(0, 3) as R1csTerms[];
    const open = new Set<number>();
    for (const { termCount, offset } of sides) {
      for (let i = 0; i < termCount; i++) {
        const wire = window.readUInt32LE(offset + i * TERM_BYTES);
        if (known[wire] === UNKNOWN) open.add(wire);
      }
    }
    for (const self of open) {
      const row = canonicalRow(window, sides, (wire) => (wire === self ? SELF : known[wire]!));
      rows.set(self, [...(rows.get(self) ?? []), row]);
    }
  });
  return new Map([...rows].map(([wire, hashes]) => [wire, hashes.sort().join()]));
}

/**
 * Rows of each file that the other lacks; none if the circuits are equal. Repeated rows count as often as
 * they occur.
 */
interface RowDifference {
  readonly rowCount: number;
  readonly onlyComposed: number;
  readonly onlyCompiled: number;
}

/** Compares every row, its wires named by circom's numbers and in their order, its coefficients as they are. */
function compareRows(composedR1csPath: string, compiledR1csPath: string, match: Uint32Array): RowDifference {
  const counts = new Map<string, number>();
  const count = (path: string, rename: (wire: number) => number, step: number) =>
    readR1cs(path, (window, a, b, c) => {
      const row = canonicalRow(window, [a, b, c], rename);
      counts.set(row, (counts.get(row) ?? 0) + step);
    }).constraintCount;
  const rowCount = count(composedR1csPath, (wire) => match[wire]!, 1);
  count(compiledR1csPath, (wire) => wire, -1);
  let onlyComposed = 0;
  let onlyCompiled = 0;
  for (const difference of counts.values()) {
    if (difference > 0) onlyComposed += difference;
    else onlyCompiled -= difference;
  }
  return { rowCount, onlyComposed, onlyCompiled };
}

const TERM_BYTES = 36;

/**
 * Adds up the coefficients of a wire. A wire of two nets that were joined may stand twice in a combination.
 */
function addUp(terms: readonly { wire: number; coefficient: Uint8Array }[]) {
  const sums = new Map<number, bigint>();
  for (const { wire, coefficient } of terms) {
    const value = fromBytesBe(Uint8Array.from(coefficient).reverse());
    sums.set(wire, ((sums.get(wire) ?? 0n) + value) % FIELD_ORDER);
  }
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([wire, sum]) => ({ wire, coefficient: toBytesBe(sum, 32).reverse() }));
}

/** A hash of three linear combinations, each as (wire, coefficient) by rising wire. */
function canonicalRow(window: Buffer, sides: readonly R1csTerms[], rename: (wire: number) => number): string {
  const hash = createHash("sha256");
  for (const { termCount, offset } of sides) {
    const listed = Array.from({ length: termCount }, (_, i) => {
      const at = offset + i * TERM_BYTES;
      return { wire: rename(window.readUInt32LE(at)), coefficient: window.subarray(at + 4, at + TERM_BYTES) };
    });
    const wires = new Set(listed.map(({ wire }) => wire));
    // Unknown wires share a mark and are not one wire.
    const isJoined = wires.size < termCount && !wires.has(UNKNOWN);
    const terms = (isJoined ? addUp(listed) : listed).sort(
      (x, y) => x.wire - y.wire || Buffer.compare(x.coefficient, y.coefficient),
    );
    const bytes = Buffer.alloc(4 + terms.length * TERM_BYTES);
    bytes.writeUInt32LE(terms.length, 0);
    for (const [i, { wire, coefficient }] of terms.entries()) {
      bytes.writeUInt32LE(wire, 4 + i * TERM_BYTES);
      bytes.set(coefficient, 8 + i * TERM_BYTES);
    }
    hash.update(bytes);
  }
  return hash.digest("base64");
}

interface ComparedCircuits {
  readonly compiled: CompiledCircuit;
  readonly composed: CompiledCircuit;
  readonly match: Uint32Array;
  readonly difference: RowDifference;
}

/** Composes the circuit of a shape from its parts, under a name of its own. */
export function composeTable(shape: TableShape): Promise<CompiledCircuit> {
  const spec = tableCircuitSpec(shape, SMALL_DEPTH);
  return compileCircuit({ ...spec, name: `composed-${spec.name}` });
}

/**
 * Compares both circuits wire for wire, and lists the rows that only one of them has.
 * @param falsify what the composed circuit is taken for: another plan, or another file
 */
export async function compareTable(
  shape: TableShape,
  falsify: { readonly composition?: Composition; readonly r1csPath?: string } = {},
): Promise<ComparedCircuits> {
  const composition = falsify.composition ?? tableCircuitSpec(shape, SMALL_DEPTH).composition!;
  const { circuit: compiled } = await smallTableTester(shape);
  const composed = await composeTable(shape);
  const r1csPath = falsify.r1csPath ?? composed.r1csPath;
  const parts: CompiledCircuit[] = [];
  for (const part of composition.parts) parts.push(await compileCircuit({ ...part, keepSym: true }));
  const layout = layOutComposition(composition, await Promise.all(parts.map(partShape)));
  const files = {
    r1csPath,
    layout,
    partSymPaths: parts.map((part) => part.symPath),
    partWireCounts: parts.map((part) => part.wireCount),
  };
  const match = await matchWires(composition, files, compiled);
  return { compiled, composed, match, difference: compareRows(r1csPath, compiled.r1csPath, match) };
}
