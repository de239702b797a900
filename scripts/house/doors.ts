import { isTest, isTesting, type SourceFile } from "./tree.ts";
import { BEHIND_DOOR, packageOf, type Workspace } from "./workspaces.ts";

type Tree = ReadonlyMap<string, SourceFile>;
type Exports = Record<string, string | Record<string, string>>;

/** Modules of a workspace that product files of others may import: this may only fall. */
export const MAX_DOORS = 60;
/** Packages that a workspace loads by a name made at run time, or asks for where they are installed. */
const LOADED_BY_NAME: Readonly<Record<string, readonly string[]>> = {
  contracts: ["@foundry-rs/anvil"],
  scripts: ["@foundry-rs/anvil"],
  // In a style sheet.
  web: ["@fontsource-variable/inter"],
};
/** Packages of product files that a user does without: tests and benches of WebGPU take a card of software from it. */
const DEVELOPMENT_ONLY = new Set(["@sparticuz/chromium"]);

const wingOf = (path: string) => path.split("/")[0]!;
const withoutExtension = (path: string) => path.replace(/\.(tsx?|js)$/, "");
const TOOLS =
  /^(e2e|scripts\/((\w+-)*(bench|drill)|doors|errors|fuzz|house|measure-snapshot|package|packing|prebuild|prebuilt|refusals|test|testing))[./]/;
/** Tests, their scaffolding, and programs that measure, break and pack: they may reach what is behind a door. */
const isTool = (path: string): boolean => isTest(path) || isTesting(path) || TOOLS.test(path);

/** The `exports` of a workspace: an entry for each file that product files of other workspaces import. */
export function exportsOf({ folder }: Workspace, tree: Tree): Exports {
  const names = new Set<string>();
  for (const { imports, path } of tree.values()) {
    if (wingOf(path) === folder || isTool(path)) continue;
    for (const target of imports) if (wingOf(target) === folder) names.add(target);
  }
  const entries: Exports = {};
  for (const path of [...names].sort()) {
    const own = `./${path.slice(folder.length + 1)}`;
    const twin = own.replace(/\.ts$/, ".browser.ts");
    const hasTwin = twin !== own && tree.has(`${folder}/${twin.slice(2)}`);
    entries[withoutExtension(own)] = hasTwin ? { browser: twin, default: own } : own;
  }
  const files = [...tree.keys()].filter((path) => wingOf(path) === folder);
  if (files.some((path) => path.startsWith(`${folder}/testing/`))) entries["./testing/*"] = "./testing/*.ts";
  entries["./internal/*"] = "./*.ts";
  return entries;
}

/** Entries of each workspace's `exports` that product files may import. */
export const doorsOf = (workspaces: readonly Workspace[]): Record<string, number> =>
  Object.fromEntries(
    workspaces.map(({ manifest }) => [
      manifest.name,
      Object.keys(manifest.exports ?? {}).filter((name) => !BEHIND_DOOR.includes(name)).length,
    ]),
  );

/** @returns a sentence for each import that a manifest does not allow, and for each manifest that says something else */
export function brokenDoors(
  tree: Tree,
  workspaces: readonly Workspace[],
  versions: ReadonlyMap<string, string>,
) {
  return [
    ...workspaces.flatMap((one) => [
      ...brokenImports(one, tree),
      ...brokenExports(one, tree),
      ...brokenPackages(one, tree, versions),
    ]),
    ...brokenOrder(workspaces),
  ];
}

function brokenImports({ folder, manifest }: Workspace, tree: Tree): string[] {
  const broken: string[] = [];
  const product = new Set(Object.keys(manifest.dependencies ?? {}));
  const all = new Set([...product, ...Object.keys(manifest.devDependencies ?? {})]);
  for (const { named, path } of tree.values()) {
    if (wingOf(path) !== folder) continue;
    for (const { specifier, target } of named) {
      if (wingOf(target) === folder) {
        if (!specifier.startsWith(".")) broken.push(`${path} names its own workspace: ${specifier}`);
        continue;
      }
      const to = packageOf(wingOf(target));
      if (specifier.startsWith(".")) broken.push(`${path} reaches around the door of ${to}: ${specifier}`);
      else if (!isTool(path) && /^@openledger\/\w+\/(internal|testing)\//.test(specifier))
        broken.push(`${path} reaches behind the door of ${to}: ${specifier}`);
      if (!(isTool(path) ? all : product).has(to))
        broken.push(`${path} imports ${to}, which ${folder}/package.json does not name`);
    }
  }
  return broken;
}

function brokenExports(one: Workspace, tree: Tree): string[] {
  const wanted = exportsOf(one, tree);
  return JSON.stringify(one.manifest.exports) === JSON.stringify(wanted)
    ? []
    : [`${one.folder}/package.json has another door than what is imported: npx tsx scripts/doors.ts`];
}

/** Packages that a text loads, of those that are known. */
export function packagesIn({ text }: SourceFile, known: ReadonlyMap<string, string>): string[] {
  const load =
    /(?:\bfrom\s|\bimport\s|\bimport\(|\brequire\w*(?:\.resolve)?\(|\bcreateRequire\(import\.meta\.url\)(?:\.resolve)?\(|\bload\(|\binclude\s|\burl\()\s*["'`]((?:\.\.\/)*node_modules\/)?(@[\w-]+\/[\w.-]+|[\w.-]+)/g;
  return [...text.matchAll(load)].map(([, , name]) => name!).filter((name) => known.has(name));
}

function brokenPackages(
  { folder, manifest }: Workspace,
  tree: Tree,
  versions: ReadonlyMap<string, string>,
): string[] {
  const [product, tests] = [new Set(LOADED_BY_NAME[folder]), new Set<string>()];
  for (const file of tree.values()) {
    if (wingOf(file.path) !== folder) continue;
    const isOfTests = isTool(file.path);
    for (const name of packagesIn(file, versions))
      (isOfTests || DEVELOPMENT_ONLY.has(name) ? tests : product).add(name);
    for (const { target } of file.named)
      if (wingOf(target) !== folder) (isOfTests ? tests : product).add(packageOf(wingOf(target)));
  }
  for (const name of product) tests.delete(name);
  const differs = (field: "dependencies" | "devDependencies", wanted: ReadonlySet<string>) => {
    const named = new Set(Object.keys(manifest[field] ?? {}));
    return [
      ...[...wanted].filter((name) => !named.has(name)).map((name) => `lacks ${name}`),
      ...[...named].filter((name) => !wanted.has(name)).map((name) => `names ${name}, which nothing imports`),
    ].map((what) => `${field} of ${folder}/package.json: ${what}`);
  };
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  return [
    ...differs("dependencies", product),
    ...differs("devDependencies", tests),
    ...ranges
      .filter(([name, range]) => (versions.get(name) ?? manifest.version) !== range)
      .map(([name, range]) => `${folder}/package.json has ${name} ${range}, others another version`),
  ];
}

/** Dependencies go to workspaces that come before in the root manifest, so there is no circle. */
function brokenOrder(workspaces: readonly Workspace[]): string[] {
  const order = new Map(workspaces.map(({ manifest }, i) => [manifest.name, i]));
  return workspaces.flatMap(({ manifest }, i) =>
    Object.keys(manifest.dependencies ?? {})
      .filter((name) => (order.get(name) ?? -1) >= i)
      .map((name) => `${manifest.name} imports ${name}, which is after it in package.json`),
  );
}
