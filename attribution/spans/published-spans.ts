/**
 * Finds an answer's verbatim spans in the rows that a model's server publishes to anyone. Pages, `openledger models ask` and MCP's
 * `explain_answer` show them. The rows are downloaded and searched here: the server is told nothing about the answer.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { inSlices } from "@openledger/foundation/slices";
import { attributionError } from "../attribution-errors.ts";
import { type FetchModelOptions, fetchFiles } from "../model/model-download.ts";
import { familyOf, type ModelFamily, type ModelParts } from "../model/model-family.ts";
import { decodePayees, decodeRowSteps } from "../model/model-files.ts";
import { checkedFile, decodeManifest, isAbsent, parseJson, ROWS_FILE } from "../model/model-manifest.ts";
import type { OwnedRow } from "../model/owned-rows.ts";
import { type RecipeVersion, versionsOf } from "../model/recipe-fields.ts";
import { checkRootsSteps } from "../model/rows-root.ts";
import { type FoundSpans, findSpans, type OwnedSpan, ownedSpans, SPAN_LIMITS } from "./verbatim-spans.ts";

/** Milliseconds that a server has for its rows. */
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** Why there are no rows to search. */
export type NoRows = "not published" | "withdrawn" | "too large";

/** Rows as a server gives them, to be compared with the versions' roots before one is named. */
export interface PublishedRows {
  readonly rows: readonly OwnedRow[];
  readonly versions: readonly RecipeVersion[];
}

export type SpanStage = "fetch" | "read" | "search" | "check";

interface StageOptions {
  /** Called with the part of a stage that is done, 0 to 1. */
  readonly onProgress?: ((stage: SpanStage, share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchRowsOptions extends StageOptions {
  /** Maximum bytes of the file of rows; default 64 MiB. */
  readonly maxFileBytes?: number;
  readonly timeoutMs?: number;
  /** Signs requests for rows of a permissioned Datanet. Absent: those that anyone may read. */
  readonly sign?: FetchModelOptions["sign"];
}

/**
 * Downloads the rows that a model's server publishes.
 * @param rowsRoots of the model's versions, by a recipe that was checked: 0x and 64 hexadecimal digits each
 * @returns why there are none to search: the server publishes none to the reader, one was withdrawn, or they are too large
 * @throws ATT_SERVER_UNREACHABLE, ATT_MODEL_FILE_INVALID, ATT_ROWS_MISMATCH for another model's rows; the signal's reason
 */
export async function fetchPublishedRows<Parts extends ModelParts>(
  serverUrl: string,
  families: readonly ModelFamily<Parts>[],
  rowsRoots: readonly string[],
  { maxFileBytes = SPAN_LIMITS.rowBytes, onProgress, signal, ...options }: FetchRowsOptions = {},
): Promise<PublishedRows | NoRows> {
  onProgress?.("fetch", 0);
  const refuse = (recipe: Parts["recipe"], { files, rowCount }: { files: object; rowCount: number }) => {
    const roots = versionsOf(recipe).map(({ rowsRoot }) => rowsRoot);
    if (roots.join() !== rowsRoots.join())
      throw attributionError("ATT_ROWS_MISMATCH", `${serverUrl} has the rows of another model`, {
        data: { expectedRoots: rowsRoots, actualRoots: roots },
      });
    if (!(ROWS_FILE in files)) throw new Absent("not published");
    if (rowCount > SPAN_LIMITS.rows) throw new Absent("too large");
  };
  const names = ["recipe.json", "payees.json", ROWS_FILE] as const;
  const limits = { timeoutMs: DOWNLOAD_TIMEOUT_MS, ...options, maxFileBytes };
  try {
    const files = await fetchFiles(serverUrl, names, families, limits, refuse);
    const manifest = decodeManifest(files);
    const json = parseJson(checkedFile(files, manifest, "recipe.json"), "recipe.json");
    const recipe = familyOf(json, families).parseRecipe(json);
    const payees = decodePayees(checkedFile(files, manifest, "payees.json"), manifest.rowCount, recipe);
    // Checked as it came, in slices.
    const lines = decodeRowSteps(files.get(ROWS_FILE)!, payees, recipe);
    const rows = await inSlices(lines, { onProgress: (share) => onProgress?.("read", share), signal });
    return { rows, versions: versionsOf(recipe) };
  } catch (error) {
    if (error instanceof Absent) return error.why;
    if (isRollupError(error, "ATT_ROW_WITHDRAWN")) return "withdrawn";
    if (isRollupError(error, "ATT_MODEL_TOO_LARGE")) return "too large";
    // Rows of a permissioned Datanet are given by signed requests alone.
    if (isAbsent(error, [ROWS_FILE])) return "not published";
    throw error;
  }
}

/**
 * Finds an answer's spans in published rows. Where there are some, all rows are compared with the roots before one is named.
 * @throws ATT_SPANS_TOO_LARGE; ATT_ROWS_MISMATCH where the server's rows are not the versions'; the signal's reason
 */
export async function findPublishedSpans(
  answer: string,
  { rows, versions }: PublishedRows,
  { onProgress, signal }: StageOptions = {},
): Promise<FoundSpans<OwnedSpan>> {
  const during = (stage: SpanStage) => ({
    onProgress: (share: number) => onProgress?.(stage, share),
    signal,
  });
  const found = await inSlices(findSpans(answer, rows), during("search"));
  if (found.spans.length > 0 && !checked.has(rows)) {
    await initPoseidon();
    await inSlices(checkRootsSteps(rows, versions), during("check"));
    checked.add(rows);
  }
  return ownedSpans(found, rows);
}

/** Rows that are those of their versions. */
const checked = new WeakSet<readonly OwnedRow[]>();

class Absent extends Error {
  readonly why: NoRows;

  constructor(why: NoRows) {
    super(why);
    this.why = why;
  }
}
