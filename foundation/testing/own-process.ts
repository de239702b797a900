import { fileURLToPath } from "node:url";

/**
 * Node's arguments for a test that starts a process of this repository as people do: from the bundle, which costs a third
 * of what tsx does before the process begins.
 * @param main from the root, as `sequencer/main.ts`
 */
export const ownProcess = (main: string): readonly string[] =>
  ["scripts/start.js", main].map((path) => fileURLToPath(new URL(`../../${path}`, import.meta.url)));
