/** Arguments of Node that start a process of this repository; scenarios and tests spawn processes with them. */

/**
 * V8 options of the sequencer: an operation makes 50 kB of garbage, and 64 MiB of room is collected a quarter as
 * often as Node's 16 MiB.
 */
const YOUNG_OBJECTS = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

/**
 * Node's arguments that start a process of this repository, in its root: from the bundle, or from the sources.
 * @param main from the root, as `sequencer/main.ts`; the process's own arguments follow
 */
export function startOf(main: string): readonly string[] {
  return [...(main === "sequencer/main.ts" ? YOUNG_OBJECTS : []), "scripts/start.js", main];
}
