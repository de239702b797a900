/** Figures of long parts of the benches, kept so that `bench -- ledger` can state them beside its own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { readIfPresent } from "@openledger/foundation/whole-file";

/** The parts that are kept, and what makes them. */
const KEPT_PARTS = {
  "table-proofs": "npm run bench -- table --domain 20",
} as const;
type KeptPart = keyof typeof KEPT_PARTS;

const pathOf = (part: KeptPart, folder: string) => join(folder, `${part}.json`);
const FOLDER = resolve(repositoryRoot, ".cache/bench");

/** Replaces what was kept of the part. */
export function keepFigures(part: KeptPart, figures: object, folder = FOLDER): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    pathOf(part, folder),
    `${JSON.stringify({ measuredAt: new Date().toISOString(), figures })}\n`,
  );
}

/** The newest figures of a part as they were printed, or null; says where they come from, or which command makes them. */
export function keptFigures(
  part: KeptPart,
  log: (line: string) => void,
  folder = FOLDER,
): Record<string, unknown> | null {
  const text = readIfPresent(pathOf(part, folder));
  if (text === null) {
    log(`no figures are kept of ${part}: ${KEPT_PARTS[part]} makes them`);
    return null;
  }
  const { figures, measuredAt } = JSON.parse(text) as {
    figures: Record<string, unknown>;
    measuredAt: string;
  };
  log(`figures of ${part}, as measured on ${measuredAt} by ${KEPT_PARTS[part]}`);
  return figures;
}
