/** Circuits that the repository holds compiled: lists them and says which are current, for scripts/prebuild.ts. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type CircuitSpec, hashCircuit } from "@openledger/circuits/compiler/compile";
import {
  type PrebuiltHeader,
  prebuiltFolder,
  prebuiltPath,
  readPrebuiltHeader,
} from "@openledger/circuits/compiler/prebuilt";
import { generatorTablesPath } from "@openledger/circuits/field/curve/generator-tables";
import { circuitsOf } from "@openledger/e2e/devnet/circuits";
import { PLANS } from "@openledger/e2e/devnet/plan";

interface PrebuiltFile {
  readonly path: string;
  readonly header: PrebuiltHeader;
  /** The source that was compiled, with today's tables of generators. */
  readonly mainSource: string;
  /** true: today's sources have its content hash. */
  readonly isCurrent: boolean;
}

/** Every prebuilt circuit. @throws RollupError CIR_PREBUILT_DAMAGED */
export function prebuiltCircuits(): PrebuiltFile[] {
  return readdirSync(prebuiltFolder)
    .filter((name) => name.endsWith(".circuit"))
    .sort()
    .map((name) => {
      const path = join(prebuiltFolder, name);
      const header = readPrebuiltHeader(path)!;
      const mainSource = header.mainSource.replaceAll(
        /"\.cache\/generators\/rows-(\d+)-[^"]*"/g,
        (_, rows) => `"${generatorTablesPath(Number(rows))}"`,
      );
      const hash = hashOrNone(mainSource);
      const isCurrent = path === prebuiltPath(header.name, hash);
      return { path, header, mainSource, isCurrent };
    });
}

/** Returns a source's hash; "" if its includes are gone. */
function hashOrNone(mainSource: string): string {
  try {
    return hashCircuit(mainSource);
  } catch {
    return "";
  }
}

/** Circuits that `npm start` needs, with the parts of composed ones, each by its name in the folder. */
export function startCircuits(): Map<string, CircuitSpec> {
  const specs = new Map<string, CircuitSpec>();
  for (const plan of Object.values(PLANS)) {
    for (const { spec } of circuitsOf(plan)) {
      const parts = spec.composition?.parts.map((part) => ({ ...part, keepSym: true }));
      for (const one of parts ?? [spec]) {
        const path = prebuiltPath(one.name, hashCircuit(one.mainSource));
        if (specs.get(path)?.keepSym !== true) specs.set(path, one);
      }
    }
  }
  return specs;
}
