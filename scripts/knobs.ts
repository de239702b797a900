/** How much there is to learn and to keep right: codes, options, settings, commands, and lines by what they are for. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { allCommands } from "./cli/command-line.ts";
import { createProgram } from "./commands/program.ts";
import { errorCodes } from "./errors.ts";
import { isGenerated, isTest, isTesting, type SourceFile } from "./house/tree.ts";
import { settingVariables } from "./settings.ts";

export interface Knobs {
  readonly codes: number;
  /** Declared options of the command line: one that several commands share counts once. */
  readonly options: number;
  /** Environment variables that docs/reference/settings.md lists: one that several processes read counts once. */
  readonly settings: number;
  /** Commands that do something: groups without an action are none. */
  readonly commands: number;
}

export interface Lines {
  readonly productFiles: number;
  readonly productLines: number;
  /** Tests and what only they use. */
  readonly testLines: number;
  readonly benchAndDrillLines: number;
  readonly docsLines: number;
}

export async function countKnobs(): Promise<Knobs> {
  const commands = allCommands(await createProgram());
  const options = commands.flatMap((one) =>
    one.options.map(({ description, flags }) => `${flags} ${description}`),
  );
  return {
    codes: errorCodes().length,
    options: new Set(options).size,
    settings: settingVariables().length,
    commands: commands.filter(({ commands: inner }) => inner.length === 0).length,
  };
}

/** Benches and drills, which show how the system behaves and are in no product. */
const isExercise = (path: string) => /(^|\/)(bench|drill)(\/|\.ts$)|-drill\.ts$/.test(path);

export function countLines(tree: ReadonlyMap<string, SourceFile>, root: string): Lines {
  const files = [...tree.values()].filter(({ path }) => !isGenerated(path));
  const isOfTests = ({ path }: SourceFile) => isTest(path) || isTesting(path);
  const exercises = files.filter((file) => !isOfTests(file) && isExercise(file.path));
  const product = files.filter((file) => !isOfTests(file) && !isExercise(file.path));
  const linesOf = (some: readonly SourceFile[]) => some.reduce((sum, { text }) => sum + linesIn(text), 0);
  const pages = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.startsWith("node_modules/"))
    .map((name) => join("docs", name));
  return {
    productFiles: product.length,
    productLines: linesOf(product),
    testLines: linesOf(files.filter(isOfTests)),
    benchAndDrillLines: linesOf(exercises),
    docsLines: [...pages, "README.md"]
      .map((page) => linesIn(readFileSync(join(root, page), "utf8")))
      .reduce((sum, lines) => sum + lines, 0),
  };
}

const linesIn = (text: string) => text.split("\n").length - 1;
