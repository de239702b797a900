/**
 * Builds an npm package: the modules that its entries reach, as JavaScript with types, and nothing bundled. They keep the
 * places that they have in the repository. So a bundler leaves out what a program does not call, a stack trace names the
 * file that one finds here, and threads and templates are where their module looks for them.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import ts from "typescript";
import { hostWith, packageEntries } from "./package-entries.ts";
import { npmName, PACKAGES, type PackageName, type PackageRecipe } from "./packages.ts";
import { reachedFrom, type SourceFile } from "./source-tree.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The caller makes accounts and clients with it. */
const PEERS = new Set(["viem"]);
/** Loads the sources of threads, which a package has as JavaScript. */
const LOADER = "foundation/load-source.js";

export interface BuiltPackage {
  readonly name: string;
  readonly version: string;
  /** Folder that `npm pack` packs. */
  readonly folder: string;
}

/** @param folder is emptied first */
export function buildPackage(name: PackageName, folder: string): BuiltPackage {
  rmSync(folder, { recursive: true, force: true });
  const recipe: PackageRecipe = PACKAGES[name];
  const dist = join(folder, "dist");
  const files = reachedBy(recipe);
  emitModules(recipe, dist, files);
  for (const { path, text } of files) if (path.endsWith(".js")) write(join(dist, path), withoutLoader(text));
  for (const path of listedFiles()) if (recipe.read?.test(path)) write(join(dist, path), readSource(path));
  for (const path of recipe.installed ?? []) cpSync(join(root, path), join(dist, path));
  const manifest = manifestOf(name, files);
  write(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(root, `scripts/packing/${name}.md`), join(folder, "README.md"));
  const licence = join(root, recipe.workspace, "LICENSE");
  cpSync(existsSync(licence) ? licence : join(root, "LICENSE"), join(folder, "LICENSE"));
  return { name: manifest.name, version: manifest.version, folder };
}

/** The package's own package.json. */
export function packageManifest(name: PackageName) {
  return manifestOf(name, reachedBy(PACKAGES[name]));
}

function manifestOf(name: PackageName, files: readonly SourceFile[]) {
  const { workspaces } = JSON.parse(readSource("package.json")) as { workspaces: string[] };
  const { description, entries, workspace }: PackageRecipe = PACKAGES[name];
  const ours = JSON.parse(readFileSync(join(root, workspace, "package.json"), "utf8")) as {
    version: string;
    license: string;
    engines: Record<string, string>;
  };
  const versions = new Map(
    workspaces.flatMap((folder) => {
      const manifest = JSON.parse(readSource(`${folder}/package.json`)) as {
        dependencies?: Record<string, string>;
      };
      return Object.entries(manifest.dependencies ?? {});
    }),
  );
  const used = [...new Set(files.flatMap(({ packages }) => packages))]
    .filter((one) => versions.has(one))
    .sort();
  const ranges = (isPeer: boolean) =>
    Object.fromEntries(
      used.filter((other) => PEERS.has(other) === isPeer).map((other) => [other, `^${versions.get(other)}`]),
    );
  const entry = (file: string) => ({ types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` });
  return {
    name: npmName(name),
    version: ours.version,
    description,
    license: ours.license,
    type: "module",
    sideEffects: false,
    engines: ours.engines,
    files: ["dist"],
    exports: {
      ...Object.fromEntries(
        Object.keys(entries).map((file) => [file === "index" ? "." : `./${file}`, entry(file)]),
      ),
      "./package.json": "./package.json",
    },
    dependencies: ranges(false),
    peerDependencies: ranges(true),
  };
}

/** Every code file that the entries reach by imports, threads among them. */
function reachedBy(recipe: PackageRecipe): SourceFile[] {
  const texts = [...packageEntries(root, recipe).values()].join("\n");
  const entries = Array.from(texts.matchAll(/from "\.\/([^"]+)"/g), ([, path]) => path!);
  return reachedFrom(root, entries, LOADER);
}

const readSource = (path: string) => readFileSync(join(root, path), "utf8");

/** Types are checked with the repository's; here they are only written down. */
function emitModules(recipe: PackageRecipe, dist: string, files: readonly SourceFile[]): void {
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
    // A compiler emits nothing of a package, and each workspace is one.
    paths: { "@openledger/*": ["./*.ts"] },
  };
  const entries = packageEntries(root, recipe);
  const host = hostWith(entries, emitted);
  host.writeFile = (path, text) => write(path, withRelativeDoors(path, text, dist));
  const roots = files.filter(({ path }) => path.endsWith(".ts")).map(({ path }) => join(root, path));
  const program = ts.createProgram([...entries.keys(), ...roots], emitted, host);
  const transformers = { before: [withoutMeanings] };
  const { diagnostics, emitSkipped } = program.emit(undefined, undefined, undefined, false, transformers);
  if (emitSkipped || diagnostics.length > 0)
    throw new Error(ts.formatDiagnostics(diagnostics, { ...host, getNewLine: () => "\n" }));
}

/** Texts of an error's row that are for docs/reference/errors.md alone: no program of a package reads them. */
const ROW_TEXTS = ["meaning", "note"];

/** Leaves these texts out of the tables of errors, which every program with a client has. */
const withoutMeanings: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const nameOf = ({ name }: ts.ObjectLiteralElementLike) =>
    name !== undefined && ts.isIdentifier(name) ? name.text : null;
  const visit = (node: ts.Node): ts.Node => {
    if (!ts.isObjectLiteralExpression(node)) return ts.visitEachChild(node, visit, context);
    const names = node.properties.map(nameOf);
    const isRow = names.includes("meaning") && names.includes("remedy");
    if (!isRow) return ts.visitEachChild(node, visit, context);
    const read = node.properties.filter((property) => !ROW_TEXTS.includes(nameOf(property) ?? ""));
    return ts.factory.createObjectLiteralExpression(read, true);
  };
  return ts.visitNode(file, visit, ts.isSourceFile);
};

/** Modules of other workspaces lie beside: imports by a package's name become paths. */
function withRelativeDoors(path: string, text: string, dist: string): string {
  return text.replace(/"@openledger\/([^"]+)"/g, (_, module: string) => {
    const target = relative(dirname(path), join(dist, `${module}.js`));
    return `"${target.startsWith(".") ? target : `./${target}`}"`;
  });
}

/** A thread begins with its module itself. */
const withoutLoader = (text: string) =>
  text
    .replace(/^import \{ loadSource \} from .*\n/m, "")
    .replace(/loadSource\("([^"]+)\.ts", import\.meta\.url\)/, 'import("$1.js")')
    .replace(
      "loadSource(workerData.module, import.meta.url)",
      'import(workerData.module.replace(/\\.ts$/, ".js"))',
    );

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
