import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Of one width, as circomlibjs has them: round constants, sparse rows and columns, dense matrices, transposed. */
export interface PoseidonConstants {
  readonly c: readonly bigint[];
  readonly s: readonly bigint[];
  readonly m: readonly (readonly bigint[])[];
  readonly p: readonly (readonly bigint[])[];
}

/** circomlibjs' file, which it does not export; by width − 2, as hex strings. */
interface ConstantsFile {
  readonly C: readonly (readonly string[])[];
  readonly S: readonly (readonly string[])[];
  readonly M: readonly (readonly (readonly string[])[])[];
  readonly P: readonly (readonly (readonly string[])[])[];
}

let file: ConstantsFile | undefined;

/** Awaited before `poseidonConstants`; here it has nothing to fetch. */
export async function loadPoseidonConstants(): Promise<void> {}

/** The same for those of `dataCommitment`, which few pages need. */
export async function loadDataConstants(): Promise<void> {}

/** The same for all that there are: whoever rebuilds the ledger. */
export async function loadReplayConstants(): Promise<void> {}

/** The constants of one width. Pages have them from their build: `poseidon-constants.browser.ts`. */
export function poseidonConstants(width: number): PoseidonConstants {
  if (file === undefined) {
    const main = createRequire(import.meta.url).resolve("circomlibjs");
    const path = join(dirname(main), "../src/poseidon_constants_opt.json");
    file = JSON.parse(readFileSync(path, "utf8")) as ConstantsFile;
  }
  const at = width - 2;
  const matrix = (rows: readonly (readonly string[])[]) => rows.map((row) => row.map(BigInt));
  return {
    c: file.C[at]!.map(BigInt),
    s: file.S[at]!.map(BigInt),
    m: matrix(file.M[at]!),
    p: matrix(file.P[at]!),
  };
}
