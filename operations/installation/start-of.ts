/**
 * Node's arguments that start a process of this repository, in its root: from the bundle, or from the sources.
 * @param main from the root, as `sequencer/main.ts`; the process's own arguments follow
 */
export function startOf(main: string): readonly string[] {
  return ["scripts/start.js", main];
}
