/** Sample rows for tests of the factory's pages: entries of a ship's log. */
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";

const WINDS = ["north", "south", "east", "west"];
const SEAS = ["calm", "grey", "rough", "wild", "cold"];
const SIGHTS = [
  "a whale to port",
  "no land",
  "two gulls",
  "a sail far off",
  "ice",
  "smoke",
  "the green coast",
];

/** Log entries, no two alike. */
export const logEntries = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    encodeTextRow({
      text: `Day ${i + 1}. Wind from the ${WINDS[i % 4]}, the sea ${SEAS[i % 5]}. The mast has seen ${SIGHTS[i % 7]}.`,
    }),
  );
