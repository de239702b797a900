/** Sentences about a base that is added, for the command and `npm start`. */
import type { AddedBase, BasePlan } from "./add-base.ts";

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
const millions = (count: number) => `${(count / 1e6).toFixed(1)} M parameters`;

/** Sentence about the disk and memory that a base takes. */
export function wordsOfPlan({
  commit,
  family,
  memoryBytes,
  name,
  parameterCount,
  sizeBytes,
  ...plan
}: BasePlan) {
  const pinned = commit === null ? "" : `, commit ${commit.slice(0, 12)}`;
  return [
    `${name}${pinned}, a ${family} of ${millions(parameterCount)}, takes ${megabytes(sizeBytes)} of disk`,
    `(${megabytes(plan.freeBytes)} are free) and ${megabytes(memoryBytes)} of memory while it is checked`,
  ].join(" ");
}

/** A base that is in its folder. */
export function wordsOfBase(added: AddedBase): string[] {
  const { family, folder, largestLogitError, licence, name, parameterCount } = added;
  return [
    `${name}, a ${family} of ${millions(parameterCount)}, is in ${folder}; the factory lists it`,
    `licence: ${licence ?? "the card names none; ask its publisher before you use it"}`,
    largestLogitError === null
      ? "self-test: no logits were stored with it; those of this machine are now, so copies can be compared"
      : `self-test: logits agree with the stored ones within ${largestLogitError.toExponential(1)}`,
  ];
}
