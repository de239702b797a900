/** Lines that say whose word vectors a model counts texts by, and whether its rows give its inputs, before somebody approves, trusts or pays it. */
import type { VectorsWords } from "@openledger/attribution/inputs/released-vectors";
import { type InputsFound, inputsWords } from "@openledger/client/tasks/inputs-words";

/** No line for a model without vectors. */
export const lineOfVectors = (vectors: VectorsWords | null): string[] =>
  vectors === null ? [] : [`${vectors.isReleased ? "" : "⚠ "}${vectors.text}`];

export const lineOfInputs = (found: InputsFound): string[] => [
  `${found === "others" ? "⚠ " : ""}${inputsWords(found)}`,
];
