/**
 * Fetches packages of archives.json as npm packs them, into .cache/archives, and checks each by its hash: data sets with thousands of
 * small files, which are read from the archive, and a browser for tests. Installed, they would be a quarter of node_modules.
 *
 * `node foundation/archives/fetch.js NAME …`; without a name all that `npm start` and the core tests read. Runs before anything is
 * compiled, so it is plain JavaScript.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const archives = JSON.parse(readFileSync(new URL("./archives.json", import.meta.url), "utf8"));
const folder = fileURLToPath(new URL("../../.cache/archives", import.meta.url));

/** Packs them by npm's own program where npm runs this, so that its settings hold. */
function pack(specs, target) {
  const args = ["pack", ...specs, "--silent", "--ignore-scripts", "--pack-destination", target];
  const npm = process.env.npm_execpath;
  const isNpm = npm !== undefined && /npm-cli\.[cm]?js$/.test(npm);
  const [program, first] = isNpm ? [process.execPath, [npm]] : ["npm", []];
  // In a folder of its own: npm would take this repository's settings of workspaces.
  execFileSync(program, [...first, ...args], {
    cwd: target,
    env: { ...process.env, npm_config_workspaces: undefined, npm_config_workspace: undefined },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function fetchArchives(names) {
  const missing = names.filter((name) => !existsSync(join(folder, archives[name].file)));
  if (missing.length === 0) return;
  mkdirSync(folder, { recursive: true });
  const draft = mkdtempSync(join(folder, "draft-"));
  try {
    pack(
      missing.map((name) => `${name}@${archives[name].version}`),
      draft,
    );
    for (const name of missing) {
      const { file, integrity, version } = archives[name];
      const packed = join(draft, file);
      const found = `sha512-${createHash("sha512").update(readFileSync(packed)).digest("base64")}`;
      if (found !== integrity) throw new Error(`${name}@${version} is not the pinned archive: ${found}`);
      renameSync(packed, join(folder, file));
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const isProduction = (process.env.npm_config_omit ?? "").split(/[\s,]+/).includes("dev");
const wanted = process.argv.slice(2).filter((word) => word !== "--install");
const names =
  wanted.length > 0 ? wanted : Object.keys(archives).filter((name) => archives[name].isPrefetched);
// At an installation without the tools of tests nobody reads a data set.
if (!(isProduction && process.argv.includes("--install"))) fetchArchives(names);
