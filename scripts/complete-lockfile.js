// node scripts/complete-lockfile.js — after every `npm install` that changes package-lock.json.
//
// A registry mirror may lack packages of platforms that nobody there uses. `npm install` then leaves them out of the
// lockfile, and `npm ci` refuses the lockfile for it. This adds what is missing: the version that the dependent asks
// for and the platform from the name, optional, so that npm ci skips them where they do not fit.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const NODE_CPU = { amd64: "x64", x64: "x64", arm: "arm", arm64: "arm64" };
let addedCount = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const platform = /(android|darwin|linux|win32)-(amd64|arm64|arm|x64)(-musl)?$/.exec(name);
    if (lock.packages[key] !== undefined || platform === null || !/^\d/.test(version)) continue;
    const [, os, cpu, musl] = platform;
    lock.packages[key] = {
      version,
      cpu: [NODE_CPU[cpu]],
      ...(os === "linux" ? { libc: [musl ? "musl" : "glibc"] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [os],
    };
    addedCount += 1;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${addedCount} packages of other platforms added to package-lock.json`);
