/**
 * Builds the npm package of the client library: the modules as they are, as JavaScript with types, and nothing bundled. So a
 * bundler leaves out what a program does not call, and a stack trace names the file that one finds in the repository.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { DATA_CHUNK } from "@openledger/circuits/protocol";
import { packConstants } from "@openledger/circuits/wasm/pack-constants";
import { fileOfSpecifier, readWorkspaces } from "@openledger/scripts/internal/house/workspaces";
import ts from "typescript";
import { hostWith, packageEntries } from "./package-entries.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sourceOf = fileOfSpecifier(readWorkspaces(root), { has: (path) => existsSync(join(root, path)) });

/** Of those that the modules import, the ones that come as what they are: the caller makes accounts with viem. */
const PEERS = ["viem"];
const DEPENDENCIES = ["@noble/curves", "@noble/hashes", "ws", "zod"];

/** Has a twin for pages, which keeps rows in a browser's database; the package keeps them in files. */
const FILES_OF_ROWS = "client/actions/data/row-files.ts";

/** All widths that the ledger hashes with, and the one of long commitments: as two files, fetched when they are needed. */
const CONSTANTS: Readonly<Record<string, readonly number[]>> = {
  "virtual:poseidon-constants": [3, 4, 5, 6, 7, 8, 9],
  "virtual:poseidon-constants/data": [DATA_CHUNK + 2],
  // Nothing in the package rebuilds a whole ledger.
  "virtual:poseidon-constants/replay": [],
};

export interface BuiltPackage {
  readonly name: string;
  readonly version: string;
  /** What `npm pack` packs. */
  readonly folder: string;
}

/** @param folder is emptied first */
export function buildPackage(folder: string): BuiltPackage {
  rmSync(folder, { recursive: true, force: true });
  const dist = join(folder, "dist");
  emitModules(dist);
  for (const [virtual, widths] of Object.entries(CONSTANTS)) {
    const text = `export default ${JSON.stringify(packConstants(widths))};\n`;
    write(join(dist, constantsFile(virtual)), text);
  }
  const manifest = packageManifest();
  write(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, "client/packing/README.md"), join(folder, "README.md"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  return { name: manifest.name, version: manifest.version, folder };
}

/** The package's own package.json. */
export function packageManifest() {
  const ours = JSON.parse(readFileSync(join(root, "client/package.json"), "utf8")) as {
    version: string;
    license: string;
    engines: Record<string, string>;
    dependencies: Record<string, string>;
  };
  const ranges = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, `^${ours.dependencies[name]}`]));
  const entry = (name: string) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
  return {
    name: "openledger-client",
    version: ours.version,
    description:
      "Use an OpenLedger rollup from Node or a page: keys, deposits, payments, withdrawals, proofs",
    license: ours.license,
    type: "module",
    sideEffects: false,
    engines: ours.engines,
    files: ["dist"],
    exports: {
      ".": entry("index"),
      ...Object.fromEntries(["rows", "datanets"].map((name) => [`./${name}`, entry(name)])),
      "./package.json": "./package.json",
    },
    dependencies: ranges(DEPENDENCIES),
    peerDependencies: ranges(PEERS),
  };
}

/** Types are checked with the repository's; here they are only written down. */
function emitModules(dist: string): void {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), (path) => readFileSync(path, "utf8"));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const emitted: ts.CompilerOptions = {
    ...options,
    noEmit: false,
    noCheck: true,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: root,
    outDir: dist,
  };
  const entries = packageEntries(root);
  const host = hostWith(entries, emitted);
  host.writeFile = (path, text) => write(path, withRelativeDoors(path, text, dist));
  // A compiler emits nothing of a package, and each workspace is one.
  host.resolveModuleNameLiterals = (literals, from, redirect, options, file) =>
    literals.map((literal) => {
      const source = sourceOf(literal.text);
      if (source === undefined) {
        const mode = ts.getModeForUsageLocation(file, literal, options);
        return ts.resolveModuleName(literal.text, from, options, host, undefined, redirect, mode);
      }
      const extension = ts.Extension.Ts;
      return {
        resolvedModule: { resolvedFileName: join(root, source), extension, isExternalLibraryImport: false },
      };
    });
  const program = ts.createProgram([...entries.keys()], emitted, host);
  const { diagnostics, emitSkipped } = program.emit();
  if (emitSkipped || diagnostics.length > 0) {
    throw new Error(ts.formatDiagnostics(diagnostics, { ...host, getNewLine: () => "\n" }));
  }
  for (const { fileName } of program.getSourceFiles()) {
    const twin = fileName.replace(/\.ts$/, ".browser.ts");
    if (!fileName.startsWith(root) || fileName.includes("/node_modules/") || !existsSync(twin)) continue;
    if (fileName.endsWith(FILES_OF_ROWS)) continue;
    writeTwin(join(dist, relative(root, fileName)).replace(/\.ts$/, ".js"), twin, emitted, dist);
  }
}

/** A module that needs Node has a twin for pages, with the same exports. It runs everywhere, so the package has it alone. */
function writeTwin(path: string, twin: string, options: ts.CompilerOptions, dist: string): void {
  const { outputText } = ts.transpileModule(readFileSync(twin, "utf8"), {
    // NodeNext would take it for CommonJS: it sees no package.json there.
    compilerOptions: {
      ...options,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
    },
    fileName: twin,
  });
  const text = outputText.replace(/"(virtual:[^"]+)"/g, (whole, virtual: string) =>
    virtual in CONSTANTS ? `"./${relative(dirname(path), join(dist, constantsFile(virtual)))}"` : whole,
  );
  write(path, withRelativeDoors(path, text, dist));
}

/** Modules of other workspaces lie beside those of the client: imports by a package's name become paths. */
function withRelativeDoors(path: string, text: string, dist: string): string {
  return text.replace(/"(@openledger\/[^"]+)"/g, (whole, specifier: string) => {
    const source = sourceOf(specifier);
    if (source === undefined) return whole;
    const target = relative(dirname(path), join(dist, source)).replace(/\.ts$/, ".js");
    return `"${target.startsWith(".") ? target : `./${target}`}"`;
  });
}

/** Beside the module that reads them. */
const constantsFile = (virtual: string) =>
  `circuits/wasm/${virtual.replace("virtual:", "").replace("/", "-")}-packed.js`;

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
