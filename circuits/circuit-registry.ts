import { APPROVAL_DELAY_SECONDS, type BatchShape, shapeName, TREE_DEPTH } from "./protocol.ts";
import { RollupError } from "./rollup-error.ts";

/** A circuit by name, and the circom text of its `component main`. Includes are relative to the repository's root. */
export interface CircuitSpec {
  readonly name: string;
  readonly mainSource: string;
}

/** The batch circuit of a shape. Smaller trees (`depth`) are for tests. */
export function batchCircuitSpec(shape: BatchShape, depth: number = TREE_DEPTH): CircuitSpec {
  if (shape.narrow % 2 !== 0 || shape.narrow < 0 || shape.wide < 1 || shape.wide > 255) {
    throw new RollupError(
      "CIR_SHAPE_IMPOSSIBLE",
      `a batch has an even number of narrow and at least one wide slot`,
      {
        data: { ...shape },
      },
    );
  }
  return {
    name: depth === TREE_DEPTH ? shapeName(shape) : `${shapeName(shape)}-depth-${depth}`,
    mainSource: [
      "pragma circom 2.1.6;",
      'include "circuits/batch.circom";',
      `component main {public [z]} = LedgerBatch(${depth}, ${shape.narrow}, ${shape.wide}, ${APPROVAL_DELAY_SECONDS});`,
      "",
    ].join("\n"),
  };
}

/**
 * The circuit of a name such as "batch-6-2".
 * @throws CIR_CIRCUIT_UNKNOWN
 */
export function circuitSpec(name: string): CircuitSpec {
  const match = /^batch-(\d+)-(\d+)$/.exec(name);
  if (match === null) {
    throw new RollupError(
      "CIR_CIRCUIT_UNKNOWN",
      `there is no circuit ${name}; batch circuits are called batch-<narrow>-<wide>`,
      {
        data: { name },
      },
    );
  }
  return batchCircuitSpec({ narrow: Number(match[1]), wide: Number(match[2]) });
}
