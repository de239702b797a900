/**
 * The signed figure in a model's folder: whoever registers the model writes it, the model's server shows it. Readers check it against the
 * ledger (client/actions/answers/model-figure.ts).
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { jsonBytes } from "@openledger/attribution/model/answering-hash";
import {
  MAX_FIGURE_BYTES,
  SIGNED_FIGURE_FILE,
  type SignedFigure,
  signedFigureSchema,
} from "@openledger/datanets/records/signed-figure";
import { writeFileWhole } from "@openledger/foundation/whole-file";

/** Writes the figure beside the model's files, in the place of an earlier one. */
export const writeSignedFigure = (folder: string, signed: SignedFigure): Promise<void> =>
  writeFileWhole(join(folder, SIGNED_FIGURE_FILE), jsonBytes(signed));

/** Reads it at each request: a model may be registered while it is served. null where there is none, or no such record. */
export async function readSignedFigure(folder: string): Promise<SignedFigure | null> {
  const path = join(folder, SIGNED_FIGURE_FILE);
  try {
    if ((await stat(path)).size > MAX_FIGURE_BYTES) return null;
    const parsed = signedFigureSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || error instanceof SyntaxError) return null;
    throw error;
  }
}
