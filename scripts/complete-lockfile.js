// node scripts/complete-lockfile.js — after every `npm install` that changes package-lock.json.
//
// A registry mirror may lack packages of platforms that nobody there uses. `npm install` then leaves them out of the
// lockfile, and `npm ci` refuses the lockfile for it. This adds what is missing, optional: the version that the dependent
// asks for, the platform from the name, and the registry's hash. Without a hash `npm ci` would run whatever the registry
// serves then: such a package is for no platform, until this finds the hash at a registry that has it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const NODE_CPU = { amd64: "x64", x64: "x64", arm: "arm", arm64: "arm64" };
const NO_PLATFORM = "none";

/** @returns null where the registry does not have this version */
function integrityOf(name, version) {
  try {
    const quiet = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    return execFileSync("npm", ["view", `${name}@${version}`, "dist.integrity"], quiet).trim() || null;
  } catch {
    return null;
  }
}

const counts = { added: 0, hashed: 0, withoutHash: 0 };
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const platform = /(android|darwin|linux|win32)-(amd64|arm64|arm|x64)(-musl)?$/.exec(name);
    const known = lock.packages[key];
    if (known?.integrity !== undefined || platform === null || !/^\d/.test(version)) continue;
    const integrity = integrityOf(name, version);
    const [, os, cpu, musl] = platform;
    lock.packages[key] = {
      version,
      ...(integrity === null ? {} : { integrity }),
      cpu: [NODE_CPU[cpu]],
      ...(os === "linux" ? { libc: [musl ? "musl" : "glibc"] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [integrity === null ? NO_PLATFORM : os],
    };
    counts.added += known === undefined ? 1 : 0;
    counts[integrity === null ? "withoutHash" : "hashed"] += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(
  `${counts.added} packages of other platforms added to package-lock.json, ${counts.hashed} hashes found;`,
  `the registry has no hash of ${counts.withoutHash}, which no platform takes`,
);
