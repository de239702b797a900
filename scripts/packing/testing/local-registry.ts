/**
 * A package registry of what is in this repository's node_modules, so that `npm install` works as everywhere, and
 * without a network.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Between a package's name and a version in the address of its archive. npm drops a query where it puts a registry's host in (.npmrc). */
const TARBALL = "/-/";

interface LocalRegistry {
  readonly url: string;
  close(): void;
}

/** @param root the repository's */
export async function startLocalRegistry(root: string): Promise<LocalRegistry> {
  const folders = installedFolders(root);
  const packed = mkdtempSync(join(tmpdir(), "registry-"));
  let url = "";
  const server = createServer((request, response) => {
    const [path, version] = decodeURIComponent(request.url!.slice(1)).split(TARBALL);
    const versions = folders.get(path!);
    const folder = version === undefined ? undefined : versions?.get(version);
    if (folder !== undefined) {
      const file = join(packed, `${path!.replace("/", "-")}-${version}.tgz`);
      const content = ["--exclude=./node_modules", "--transform=s,^\\.,package,", "-C", folder, "."];
      // npm takes it uncompressed, too, and it is read once.
      if (!existsSync(file)) execFileSync("tar", ["cf", file, ...content]);
      response.end(readFileSync(file));
      return;
    }
    response.statusCode = versions === undefined ? 404 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(versions === undefined ? {} : aboutPackage(url, path!, versions)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(packed, { recursive: true, force: true });
    },
  };
}

type Folders = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Every copy of every package that is there: name, version, folder. */
function installedFolders(root: string): Folders {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  const found = new Map<string, Map<string, string>>();
  for (const [path, { version }] of Object.entries(lock.packages)) {
    const name = path.split("node_modules/").at(-1)!;
    const folder = join(root, path);
    // Workspaces are packages of the repository itself.
    if (!path.includes("node_modules/") || version === undefined || !existsSync(join(folder, "package.json")))
      continue;
    const versions = found.get(name) ?? new Map<string, string>();
    found.set(name, versions.set(version, folder));
  }
  return found;
}

function aboutPackage(url: string, name: string, versions: ReadonlyMap<string, string>): object {
  const entries = [...versions].map(([version, folder]) => {
    const { scripts: _, ...manifest } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const tarball = `${url}/${encodeURIComponent(name)}${TARBALL}${version}`;
    return [version, { ...manifest, dist: { tarball } }] as const;
  });
  return { name, "dist-tags": { latest: entries[0]![0] }, versions: Object.fromEntries(entries) };
}
