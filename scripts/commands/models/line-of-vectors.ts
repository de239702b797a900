/** Line that says whose word vectors a model counts texts by, before somebody approves, trusts or pays it. */
import type { VectorsWords } from "@openledger/attribution/inputs/released-vectors";

/** No line for a model without vectors. */
export const lineOfVectors = (vectors: VectorsWords | null): string[] =>
  vectors === null ? [] : [`${vectors.isReleased ? "" : "⚠ "}${vectors.text}`];
