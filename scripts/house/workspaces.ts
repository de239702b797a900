import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Name that every workspace's package begins with. */
const SCOPE = "@openledger/";

type Ranges = Readonly<Record<string, string>>;
type Target = string | Readonly<Record<string, string>>;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, Target>>;
  readonly dependencies?: Ranges;
  readonly devDependencies?: Ranges;
}

export interface Workspace {
  /** Folder at the repository's top, `circuits`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8"));

/** Workspaces of the repository, in the order of the root manifest: each imports only those before it. */
export function readWorkspaces(root: string): Workspace[] {
  const path = join(root, "package.json");
  const { workspaces = [] } = existsSync(path) ? (readJson(path) as { workspaces?: string[] }) : {};
  return workspaces.map((folder) => ({ folder, manifest: readJson(join(root, folder, "package.json")) }));
}

/** Path of the file that a specifier such as `@openledger/circuits/ledger/leaf` names; undefined for none. */
export function fileOfSpecifier(
  workspaces: readonly Workspace[],
  paths: { has(path: string): boolean },
): (specifier: string) => string | undefined {
  const byFolder = new Map(workspaces.map((one) => [one.folder, one.manifest.exports ?? {}]));
  return (specifier) => {
    if (!specifier.startsWith(SCOPE)) return undefined;
    const [folder, ...rest] = specifier.slice(SCOPE.length).split("/");
    const entries = byFolder.get(folder!) ?? {};
    const name = `./${rest.join("/")}`;
    const exact = entries[name];
    if (exact !== undefined) return place(folder!, typeof exact === "string" ? exact : exact.default!, paths);
    for (const [pattern, target] of Object.entries(entries)) {
      const prefix = pattern.slice(0, -1);
      if (pattern.endsWith("/*") && name.startsWith(prefix))
        return place(folder!, (target as string).replace("*", name.slice(prefix.length)), paths);
    }
    return undefined;
  };
}

function place(folder: string, target: string, paths: { has(path: string): boolean }): string | undefined {
  const path = `${folder}/${target.replace(/^\.\//, "")}`;
  return paths.has(path) ? path : undefined;
}
