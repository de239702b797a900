import { isTest, type SourceFile } from "./tree.ts";

/** How many there are of each sort of thing that a newcomer has to tell apart, counted in the sources. */
export interface Kinds {
  /** Of models. */
  readonly families: number;
  readonly batchShapes: number;
  /** Contracts that take model commitments and refute them. */
  readonly disputeContracts: number;
  /** Contracts that play a trace down to one operation. */
  readonly games: number;
  /** Builders of what tests, drills and benches run against. */
  readonly worlds: number;
  /** Scenarios of `npm run drill`. */
  readonly drills: number;
}

export function countKinds(tree: ReadonlyMap<string, SourceFile>): Kinds {
  const files = [...tree.values()].filter(({ path }) => !isTest(path));
  const declared = (pattern: RegExp) =>
    files.reduce((sum, { text }) => sum + [...text.matchAll(pattern)].length, 0);
  const named = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path)).length;
  const contracts = files
    .filter(({ path }) => path.endsWith(".sol"))
    .flatMap(({ text }) => [...text.matchAll(/^(abstract )?contract (\w+) is ([\w, ]+) \{/gm)])
    .map(([, abstract, name, bases]) => ({ isAbstract: Boolean(abstract), name, bases: bases!.split(", ") }));
  const deployedBelow = (base: string): number =>
    contracts
      .filter(({ bases }) => bases.includes(base))
      .reduce((sum, { isAbstract, name }) => sum + (isAbstract ? 0 : 1) + deployedBelow(name!), 0);
  return {
    families: declared(/^export (?:const|function) \w+Family\b.*: ModelFamily<\w+> (?:=|\{)/gm),
    batchShapes: named(/^circuits\/\w+\/\w+-batch\.circom$/),
    disputeContracts: deployedBelow("IDisputes"),
    games: deployedBelow("TraceGame"),
    worlds: named(/[/-](?:world|fixture)\.ts$/),
    drills: declared(/^export const \w+Scenario = /gm),
  };
}
