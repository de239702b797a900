/** Folders of pictures: which of them names the label, and which only divides a data set into parts, as `train/` and `test/` do. */
import type { Decisions } from "./decision.ts";
import { formatOf } from "./import-file.ts";

/** Usual names of a data set's parts. */
const SPLITS: ReadonlySet<string> = new Set([
  ...["train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation"],
]);

/** Folders above a file, the outermost first. An archive is none. */
function foldersOf(name: string): readonly string[] {
  const folders = name.split(/[/\\]/).slice(0, -1);
  const archive = folders.findLastIndex((folder) => formatOf(folder) === "zip");
  return folders.slice(archive + 1).filter((folder) => folder !== "" && folder !== ".");
}

/**
 * Returns the folder of each picture that says what it is; null for none.
 * @param labels of the card that the rows are read for
 */
export function pictureFolders(
  names: readonly string[],
  labels: ReadonlySet<string>,
  decisions: Decisions,
): readonly (string | null)[] {
  const paths = names.map(foldersOf);
  const leafOf = (path: readonly string[]) => path.at(-1) ?? null;
  const isSplit = (folder: string | null) => folder !== null && SPLITS.has(folder.toLowerCase());
  const divided = paths.filter((path) => isSplit(leafOf(path)));
  const [first] = divided;
  if (first === undefined || divided.some((path) => labels.has(path.at(-1)!))) return paths.map(leafOf);
  const parents = new Set(divided.map(parentOf));
  // Beside "bus" and "car", "train" is no part of a data set.
  const isAmongOthers = paths.some((path) => {
    const leaf = leafOf(path);
    return leaf !== null && !isSplit(leaf) && parents.has(parentOf(path));
  });
  const split = { name: "split", text: "part of the data set, and no label" };
  const label = { name: "label", text: "the label of the pictures in it" };
  const name = decisions.decide({
    ...{ kind: "split-folders", file: null, column: null, cells: divided.length },
    seen: `${first.at(-1)}/`,
    readings: isAmongOthers ? [label, split] : [split, label],
    isUnclear: isAmongOthers,
  });
  if (name === "label") return paths.map(leafOf);
  const above = (path: readonly string[]) => path.findLast((folder) => !isSplit(folder)) ?? null;
  // One folder above all parts is the data set's own.
  const isOne = new Set(divided.map(above)).size < 2;
  return paths.map((path) => {
    if (!isSplit(leafOf(path))) return leafOf(path);
    return isOne ? null : above(path);
  });
}

const parentOf = (path: readonly string[]) => path.slice(0, -1).join("/");
