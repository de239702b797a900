/** How many slots, rows and units a table batch has, and how deep its subtrees and its top are. */
import { type BatchShape, TREE_ARITY, TREE_DEPTH } from "../protocol.ts";
import { RollupError } from "../rollup-error.ts";

export interface TableShape {
  /** Slots of the first section: transfers. */
  readonly transfers: number;
  /** Slots of the second section: commits and payments. */
  readonly members: number;
  readonly wide: number;
  /** Leaves that the narrow slots may touch. */
  readonly rows: number;
  /** Of them, datanets and models whose chains may change. */
  readonly units: number;
  /** Levels from a leaf to its subtree's root, and from there to the window's. */
  readonly low: number;
  readonly top: number;
}

/** What L1 sees of the shape: both sections of the table are its narrow slots. */
export const postedShape = ({ transfers, members, wide }: TableShape): BatchShape => ({
  narrow: transfers + members,
  wide,
});

/** Ids from here on have no place in the table; their operations go into wide slots. */
export const windowSize = ({ low, top }: TableShape): number => TREE_ARITY ** (low + top);

export function tableName(shape: TableShape): string {
  const { transfers, members, wide, rows, units, low, top } = shape;
  return `table-${[transfers, members, wide, rows, units, low, top].join("-")}`;
}

/** The limits of table-frame.circom. @throws CIR_SHAPE_IMPOSSIBLE */
export function requireTableShape(shape: TableShape, depth: number = TREE_DEPTH): void {
  const { transfers, members, wide, rows, units, low, top } = shape;
  const counts = [transfers, members, rows, units, low, top];
  const isPossible =
    counts.every((count) => Number.isInteger(count) && count >= 1) &&
    (transfers + members) % 2 === 0 &&
    transfers + members + wide < 1 << 12 &&
    members < 1 << 11 &&
    low + top <= depth &&
    // So that the sum has fewer than 2^20 terms: the theorem of docs/leaf-table.md asks for it.
    rows < 1 << 13 &&
    units < 1 << 13 &&
    top <= 6 &&
    wide >= 0 &&
    wide <= 255;
  if (!isPossible)
    throw new RollupError("CIR_SHAPE_IMPOSSIBLE", `no table batch has the shape ${tableName(shape)}`, {
      data: { ...shape },
    });
}
