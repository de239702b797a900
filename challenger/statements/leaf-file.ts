/** The leaves of a model commitment as its owner publishes them: JSON, a list of base64 a tree. Rows are published by themselves. */

import { attributionError } from "@openledger/attribution/attribution-errors";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import type { FamilyName } from "@openledger/contracts/build/dispute-judges";
import { z } from "zod";
import {
  type CommittedModel,
  type DisputeStatement,
  LEAF_POINTS,
  type LeafPlace,
  type Leaves,
  ofTrees,
  TREES,
  type TreeName,
  withTrees,
} from "./committed-model.ts";
import { mapPlaces } from "./direct-model-commitment.ts";

const fileSchema = z.strictObject(ofTrees(() => z.array(z.base64())));

export function encodeLeaves(leaves: Leaves): Uint8Array {
  const lists = ofTrees((name) => leaves[name].map((leaf) => Buffer.from(leaf).toString("base64")));
  return new TextEncoder().encode(JSON.stringify(lists));
}

/** @throws ATT_LEAVES_MISMATCH where they are not the leaves of these roots */
export function decodeLeaves(
  bytes: Uint8Array,
  statement: DisputeStatement,
  family: FamilyName = "direct",
): CommittedModel {
  return requireRoots(withTrees(readLeaves(bytes, statement, family), statement), statement, family);
}

/**
 * Of whatever roots. Attack: brackets and commas without end, of which a parser makes two hundred times their bytes.
 * @throws ATT_LEAVES_MISMATCH where the file is not as documented, or has more leaves than the statement's trees
 */
export function readLeaves(
  bytes: Uint8Array,
  statement: Omit<DisputeStatement, "roots">,
  family: FamilyName = "direct",
): Leaves {
  const leafCount = Object.values(leafCounts(statement, family)).reduce((sum, count) => sum + count, 0);
  if (countParts(bytes) > leafCount + 2 * TREES.length)
    throw attributionError("ATT_LEAVES_MISMATCH", `${LEAF_FILE} has more than ${leafCount} leaves`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw attributionError("ATT_LEAVES_MISMATCH", `${LEAF_FILE} is no JSON`, { cause });
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success)
    throw attributionError("ATT_LEAVES_MISMATCH", `${LEAF_FILE} is not as documented`, {
      cause: parsed.error,
    });
  return ofTrees((name) => parsed.data[name].map((leaf) => new Uint8Array(Buffer.from(leaf, "base64"))));
}

/** Of JSON whose texts have none of these signs: [, { and the comma. */
const countParts = (bytes: Uint8Array) =>
  bytes.reduce((sum, byte) => (byte === 0x5b || byte === 0x7b || byte === 0x2c ? sum + 1 : sum), 0);

/** The same, where its roots are those of the statement. @throws ATT_LEAVES_MISMATCH naming the first tree that differs */
export function requireRoots(
  posted: CommittedModel,
  { roots, ...numbers }: DisputeStatement,
  family: FamilyName = "direct",
): CommittedModel {
  const counts = leafCounts(numbers, family);
  for (const tree of TREES) {
    const differs = counts[tree] > 0 && Buffer.compare(posted.trees[tree].root, roots[tree]) !== 0;
    if (differs || posted.leaves[tree].length !== counts[tree])
      throw attributionError(
        "ATT_LEAVES_MISMATCH",
        `the leaves of "${tree}" are not those of the posted root`,
        {
          data: { tree },
        },
      );
  }
  return { ...posted, statement: { ...numbers, roots } };
}

/** How many leaves each tree of a statement has; 0 where its root is no tree's. @param family by whose rules the contract took it */
export function leafCounts(
  statement: Omit<DisputeStatement, "roots">,
  family: FamilyName = "direct",
): Readonly<Record<TreeName, number>> {
  const { bucketCount, columnCount, rowCount } = statement;
  const rows = rowCount;
  const ofRows = { rows, tokens: rows, facts: rows };
  const ofColumns = { columns: columnCount, points: Math.ceil(columnCount / LEAF_POINTS) };
  if (family === "text") return { ...ofRows, features: rows, map: rows, inputs: 0, weights: 0, ...ofColumns };
  const { digests } = mapPlaces(bucketCount + 1, columnCount);
  // The logit has a row, too.
  const ofMap = { features: rows + 1, map: digests + 1 };
  return { ...ofRows, ...ofMap, inputs: bucketCount, weights: 1, ...ofColumns };
}

/** Leaves that are shown with the model commitment, as the family's first judge names them. */
export function postedPlaces(
  statement: Omit<DisputeStatement, "roots">,
  family: FamilyName,
): readonly LeafPlace[] {
  const { map, points } = leafCounts(statement, family);
  if (family === "text") return Array.from({ length: points }, (_, index) => ({ tree: "points", index }));
  return [
    { tree: "weights", index: 0 },
    { tree: "map", index: mapPlaces(1).numbers },
    { tree: "map", index: map - 1 },
  ];
}
