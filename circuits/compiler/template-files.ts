/**
 * Index of the circom template files of `circuits/` by name, for the generated sources of circuits and parts, which include
 * them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { circuitError } from "../circuit-errors.ts";
import { repositoryRoot } from "./compile.ts";

let paths: ReadonlyMap<string, string> | undefined;

/**
 * Circom template files of `circuits/`, by name without extension. Paths are relative to the repository's
 * root.
 */
export function templateFiles(): ReadonlyMap<string, string> {
  paths ??= new Map(
    readdirSync(join(repositoryRoot, "circuits"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".circom"))
      .sort()
      .map((file) => [basename(file, ".circom"), `circuits/${file}`]),
  );
  return paths;
}

/**
 * The path of a template file, relative to the repository's root, as circom's `include` wants it.
 *
 * @throws RollupError CIR_COMPILE_FAILED
 */
export function templatePath(name: string): string {
  const path = templateFiles().get(name);
  if (path === undefined) {
    throw circuitError("CIR_COMPILE_FAILED", `there is no template file ${name}.circom`, {
      data: { reason: "template-unknown", name },
    });
  }
  return path;
}

/** The text of a template file. @throws RollupError CIR_COMPILE_FAILED */
export function templateSource(name: string): string {
  return readFileSync(join(repositoryRoot, templatePath(name)), "utf8");
}
