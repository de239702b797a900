// node scripts/complete-lockfile.js — after every `npm install` that changes a package-lock.json.
//
// Without addresses in a lockfile, `npm ci` asks the registry for every version of each package, which takes longer than all the
// downloads. So each package has the address at which registries serve it, at a host that cannot be (RFC 2606): by
// `replace-registry-host=always` of .npmrc npm asks the registry that it is configured for.
//
// A registry mirror may lack packages of platforms that nobody there uses. `npm install` then leaves them out of the
// lockfile, and `npm ci` refuses the lockfile for it. This adds what is missing, optional: the version that the dependent
// asks for, the platform from the name, and the registry's hash. Without a hash `npm ci` would run whatever the registry
// serves then: such a package is for no platform, until this finds the hash at a registry that has it.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const paths = ["../package-lock.json", "extras/package-lock.json"].map(
  (path) => new URL(path, import.meta.url),
);
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
function addOtherPlatforms(packages) {
  for (const entry of Object.values(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const platform = /(android|darwin|linux|win32)-(amd64|arm64|arm|x64)(-musl)?$/.exec(name);
      const known = packages[key];
      if (known?.integrity !== undefined || platform === null || !/^\d/.test(version)) continue;
      const integrity = integrityOf(name, version);
      const [, os, cpu, musl] = platform;
      packages[key] = {
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
}

/** @returns the package with its address, beside its version as npm writes it; a link, or what comes in a bundle, has none */
function withAddress(key, entry) {
  const inFolder = key.split("node_modules/").at(-1);
  if (!key.includes("node_modules/") || entry.link || entry.inBundle) return entry;
  const { name = inFolder, version, resolved: _, ...rest } = entry;
  const resolved = `https://registry.invalid/${name}/-/${name.split("/").at(-1)}-${version}.tgz`;
  return { ...(name === inFolder ? {} : { name }), version, resolved, ...rest };
}

for (const path of paths) {
  const lock = JSON.parse(readFileSync(path, "utf8"));
  // The packages of tests are for any platform that npm knows a hash of.
  if (path === paths[0]) addOtherPlatforms(lock.packages);
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages)
      // npm's own order, so that the next `npm install` has nothing to rewrite.
      .sort(([a], [b]) => a.localeCompare(b, "en"))
      .map(([key, entry]) => [key, withAddress(key, entry)]),
  );
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(
  `${counts.added} packages of other platforms added to package-lock.json, ${counts.hashed} hashes found;`,
  `the registry has no hash of ${counts.withoutHash}, which no platform takes`,
);
