/** Checker of the documentation's names and links: a test fails if a page names a file, folder or anchor that is not there. */
import { readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { pagesOf } from "./pages.ts";

/**
 * Lists names on pages that do not exist, as `page: name`: paths of the repository and names of source files, in
 * backticks or in a code block, and targets of links with their anchors. `*` and `{a,b}` match as in a shell.
 */
export function missingTargets(root: string): string[] {
  const files = listedFiles(root);
  const known = new Set(files);
  for (const path of files) {
    known.add(basename(path));
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) known.add(folder);
  }
  const wings = new Set(files.filter((path) => path.includes("/")).map((path) => path.split("/")[0]!));
  const read = (page: string) => readFileSync(join(root, page), "utf8");

  const missing: string[] = [];
  for (const page of pagesOf(root)) {
    const { names, links } = targetsIn(read(page));
    for (const name of names) {
      // A placeholder, as in findings/NAME.sh.
      if (/\bNAME\b/.test(name)) continue;
      const isOurs = wings.has(name.split("/")[0]!) || /^[\w-]+\.(ts|circom|sol|py)$/.test(name);
      if (isOurs && !exists(name, known)) missing.push(`${page}: ${name}`);
    }
    for (const { path, anchor } of links) {
      const target = path === "" ? page : normalize(join(dirname(page), path));
      const isThere = known.has(target) && (anchor === undefined || anchorsOf(read(target)).has(anchor));
      if (!isThere) missing.push(`${page}: ${path}${anchor === undefined ? "" : `#${anchor}`}`);
    }
  }
  return missing;
}

interface Targets {
  /** Pieces of code that look like a path or like a file's name, one for each alternative of braces. */
  readonly names: readonly string[];
  readonly links: readonly { readonly path: string; readonly anchor: string | undefined }[];
}

export function targetsIn(page: string): Targets {
  const block = /^(`{3,}).*\n([\s\S]*?)^\1$/gm;
  const prose = page.replace(block, "");
  const code = [
    ...[...page.matchAll(block)].map(([, , text]) => text!),
    ...[...prose.matchAll(/`([^`]+)`/g)].map(([, text]) => text!),
  ];
  const names = code
    .flatMap((text) => text.split(/[\s'"(),;]+(?![^{]*\})/))
    .map((word) => word.replace(/^\.\//, "").replace(/[.:/]+$/, ""))
    .filter((word) => /^[\w*{][\w.*{},/-]*[/.][\w./*{},-]*$/.test(word))
    .flatMap(alternatives);
  const links = [...prose.replace(/`[^`]+`/g, "").matchAll(/\]\(([^\s),:#]*)(?:#([^\s),]+))?\)/g)].map(
    ([, path, anchor]) => ({ path: path!, anchor }),
  );
  return { names: [...new Set(names)], links };
}

function alternatives(pattern: string): string[] {
  const braces = /\{([^{}]+)\}/.exec(pattern);
  if (braces === null) return [pattern];
  return braces[1]!.split(",").flatMap((one) => alternatives(pattern.replace(braces[0], one)));
}

function exists(path: string, known: ReadonlySet<string>): boolean {
  if (!path.includes("*")) return known.has(path);
  const source = path.replace(/[.+?^$()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  return [...known].some((one) => new RegExp(`^${source}$`).test(one));
}

/** Anchors of a page's headings, as GitHub makes them, and those that it sets itself. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return new Set([...headings, ...[...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!)]);
}
