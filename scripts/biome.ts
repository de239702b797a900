/**
 * Runs Biome, the linter and formatter, with the same arguments. Its program has 100 MB, so `npm ci` leaves it out: the first run
 * fetches it from a pinned archive and unpacks it into the cache. `npm run lint` and scripts/test.ts call it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ArchiveName,
  archiveNames,
  archiveVersion,
  readPackageArchive,
} from "@openledger/foundation/archives/package-archive";

const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));

function biomePath(): string {
  const name = `@biomejs/cli-${process.platform}-${process.arch}` as ArchiveName;
  if (!archiveNames.includes(name))
    throw new Error(`Biome is not pinned for ${process.platform} on ${process.arch}`);
  const file = process.platform === "win32" ? "biome.exe" : "biome";
  const path = join(repositoryRoot, ".cache", "biome", archiveVersion(name), file);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, readPackageArchive(name).get(file)!, { mode: 0o755 });
  renameSync(draft, path);
  return path;
}

const { error, status } = spawnSync(biomePath(), process.argv.slice(2), { stdio: "inherit" });
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
