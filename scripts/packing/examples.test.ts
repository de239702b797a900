/** Compiles the programs of examples/ against the client package's exports. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { hostWith, packageEntries } from "./package-entries.ts";
import { PACKAGES } from "./packages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "examples");
const textOf = (name: string) => readFileSync(join(folder, name), "utf8");
const programs = readdirSync(folder).filter((name) => name.endsWith(".ts"));
/** Programs that import the client package. */
const ofPackage = programs.filter((name) => textOf(name).includes('"openledger-client"'));
/** Programs that import no package of this repository: their own tsconfig.json compiles them. */
const ofOthers = programs.filter((name) => !textOf(name).includes('"openledger-'));
const MISTAKE = join(folder, "mistake.ts");

/** Compiles the programs that import the package, and one with mistakes. @returns errors as "file: message" */
function faults(): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8"));
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const compiled = {
    ...options,
    paths: { "openledger-client": [join(root, "index.ts")], "openledger-client/*": [join(root, "*.ts")] },
  };
  const mistake = `import { parseOpen, steal } from "openledger-client";\nsteal(parseOpen(10));\n`;
  const files = [...ofPackage.map((name) => join(folder, name)), MISTAKE];
  const host = hostWith(new Map([...packageEntries(root, PACKAGES.client), [MISTAKE, mistake]]), compiled);
  const program = ts.createProgram(files, compiled, host);
  return files.flatMap((path) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) =>
        `${path.slice(folder.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
  });
}

describe("the programs of examples/", () => {
  it("have types that hold against what the client package exports", () => {
    expect(ofPackage).toEqual(["deposit-and-pay.ts", "pay-x402.ts", "read-earnings.ts", "verify-batch.ts"]);
    expect(faults()).toEqual([
      expect.stringMatching(/^mistake\.ts: .*steal/),
      expect.stringMatching(/^mistake\.ts: .*number.*string/),
    ]);
  });

  it("are short enough to copy, and each is in the README", () => {
    expect(programs).toHaveLength(7);
    const readme = textOf("README.md");
    const { include } = JSON.parse(
      readFileSync(join(root, "tsconfig.json"), "utf8").replace(/^ *\/\/.*$/gm, ""),
    );
    for (const name of programs) {
      const text = textOf(name);
      expect(include.includes(`examples/${name}`), name).toBe(ofOthers.includes(name));
      expect(text.split("\n").length - 1, name).toBeLessThan(60);
      expect(readme).toContain(`| \`${name}\` |`);
      // What a program reads from its environment is said where people look for it.
      for (const [, variable] of text.matchAll(/env\("([A-Z_]+)"\)/g)) expect(readme).toContain(variable);
    }
  });
});
