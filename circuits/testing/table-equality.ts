/** Test support: a composed table circuit against the one that circom compiles whole. */
import { type CompiledCircuit, compileCircuit } from "../compiler/compile.ts";
import { partShape } from "../compiler/compose.ts";
import { layOutComposition } from "../compiler/compose-layout.ts";
import { tableCircuitSpec } from "../registry/circuit-registry.ts";
import type { TableShape } from "../table/table-shape.ts";
import { compareRows, matchWires, type RowDifference } from "./compose-equality.ts";
import { SMALL_DEPTH, smallTableTester } from "./table-world.ts";

/** Both circuits, wire for wire, and the rows that one of them alone has. */
export async function compareTable(
  shape: TableShape,
): Promise<{ compiled: CompiledCircuit; composed: CompiledCircuit; difference: RowDifference }> {
  const spec = tableCircuitSpec(shape, SMALL_DEPTH);
  const composition = spec.composition!;
  const { circuit: compiled } = await smallTableTester(shape);
  const composed = await compileCircuit({ ...spec, name: `composed-${spec.name}` });
  const parts: CompiledCircuit[] = [];
  for (const part of composition.parts) parts.push(await compileCircuit({ ...part, keepSym: true }));
  const layout = layOutComposition(composition, await Promise.all(parts.map(partShape)));
  const files = {
    ...{ r1csPath: composed.r1csPath, layout },
    partSymPaths: parts.map((part) => part.symPath),
    partWireCounts: parts.map((part) => part.wireCount),
  };
  const match = await matchWires(composition, files, compiled);
  return { compiled, composed, difference: compareRows(composed.r1csPath, compiled.r1csPath, match) };
}
