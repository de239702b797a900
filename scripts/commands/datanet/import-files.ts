/** Files of a person on the command line: the options that say how they are read, shared by the commands that read them. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Choices, parseChoices } from "@openledger/datanets/import/decision";
import { FILE_FORMATS, IMPORT_LIMITS, type ImportFile } from "@openledger/datanets/import/import-file";
import type { ImportMapping } from "@openledger/datanets/import/mapping";
import type { Separator } from "@openledger/datanets/import/read-csv";
import type { ReadSettings } from "@openledger/datanets/import/read-files";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { commandError } from "../../cli/cli-errors.ts";
import { collect } from "../../cli/options.ts";

/** Names of separators, as a shell takes them. */
const SEPARATORS: Readonly<Record<string, Separator>> = {
  comma: ",",
  semicolon: ";",
  tab: "\t",
  bar: "|",
};

export const IMPORT_OPTIONS = {
  "--format <name>": {
    about:
      "format of the files; default: by their extensions, and a file whose extension says none is refused",
    choices: FILE_FORMATS,
  },
  "--lines": "read every line of a file as a row: --format lines",
  "--column <field=column>": {
    about:
      "column of a field, if the file calls it otherwise; field= leaves a field without one; may be given several times",
    fallback: [],
    parse: collect,
  },
  "--label <column>":
    "column of your labels; default: the one whose values are the card's labels; none: none",
  "--separator <name>": {
    about: "separator of a CSV file's fields; default: the one that divides all its lines alike",
    choices: Object.keys(SEPARATORS),
  },
  "--read <kind:column=reading>": {
    about:
      "reading to take where the files admit several, as `datanet preview` names it; kind=reading for all columns; may be given several times",
    fallback: [],
    parse: collect,
  },
};

export interface ImportOptions {
  readonly format?: ImportFile["format"];
  readonly lines?: boolean;
  readonly column: readonly string[];
  readonly label?: string;
  readonly separator?: string;
  readonly read: readonly string[];
}

/** How a command reads its files. */
export interface ImportRequest {
  readonly files: readonly ImportFile[];
  readonly mapping: Partial<ImportMapping>;
  readonly settings: ReadSettings;
  readonly choices: Choices;
}

/** @throws CMD_USAGE, DNT_READING_UNKNOWN */
export async function readRequest(paths: readonly string[], options: ImportOptions): Promise<ImportRequest> {
  const { column, label, read, separator } = options;
  const columns = column.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw commandError("CMD_USAGE", `"${pair}" is no field=column`);
    return [pair.slice(0, at), pair.slice(at + 1) || null] as const;
  });
  const choices = parseChoices(read);
  const known = separator === undefined ? undefined : SEPARATORS[separator];
  const format = options.format ?? (options.lines === true ? ("lines" as const) : undefined);
  return {
    files: await readImportFiles(paths, format),
    mapping: {
      columns: Object.fromEntries(columns),
      ...(label === undefined ? {} : { label: label === "none" ? null : label }),
    },
    settings: { choices, ...(known === undefined ? {} : { separator: known }) },
    choices,
  };
}

/** Reads the files, and those in folders, which keep the folder in their names. @throws CMD_USAGE, also for too many bytes */
async function readImportFiles(
  paths: readonly string[],
  format: ImportFile["format"],
): Promise<ImportFile[]> {
  const named = (await Promise.all(paths.map(filesAt))).flat();
  const bytes = named.reduce((sum, { size }) => sum + size, 0);
  if (bytes > IMPORT_LIMITS.bytes)
    throw commandError(
      "CMD_USAGE",
      `the files have ${bytes} bytes, and ${IMPORT_LIMITS.bytes} are read at once`,
    );
  return Promise.all(
    named.map(async ({ path }) => {
      const content = await readFile(path).catch((cause: Error) => {
        throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
      });
      return { name: path, content, ...(format === undefined ? {} : { format }) };
    }),
  );
}

/** A file, or all files of a folder by name, without hidden ones. */
async function filesAt(path: string): Promise<{ readonly path: string; readonly size: number }[]> {
  try {
    const { isDirectory, size } = await stat(path).then((found) => ({
      isDirectory: found.isDirectory(),
      size: found.size,
    }));
    if (!isDirectory) return [{ path, size }];
    const names = (await readdir(path)).filter((name) => !name.startsWith(".")).sort();
    return (await Promise.all(names.map((name) => filesAt(join(path, name))))).flat();
  } catch (cause) {
    if (isRollupError(cause)) throw cause;
    throw commandError("CMD_USAGE", `cannot read ${path}`, { cause });
  }
}
