/** List of the documentation's Markdown pages, for the check of their links (page-targets.ts). */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Folders of docs/, by purpose. */
const DOCS = ["tutorials", "how-to", "reference", "explanation", "adr"];

/** Markdown pages: those at the top, those of docs/, and each workspace's README. */
export function pagesOf(root: string): string[] {
  const top = readdirSync(root, { withFileTypes: true });
  const nested = top
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
    .flatMap(({ name }) => [name, ...(name === "docs" ? DOCS.map((folder) => `docs/${folder}`) : [])])
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`));
  return [
    ...top.flatMap((entry) => (entry.isFile() && entry.name.endsWith(".md") ? [entry.name] : [])).sort(),
    ...nested.filter((path) => /^docs\/.*\.md$|\/README\.md$/.test(path)).sort(),
  ];
}
