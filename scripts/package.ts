/** Builds the client library's npm package and packs it. Prints the tarball's path: npm run package -- [folder] */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildPackage } from "@openledger/client/internal/packing/build-package";

const target = resolve(process.argv[2] ?? ".openledger/package");
const { folder } = buildPackage(join(target, "content"));
mkdirSync(target, { recursive: true });
const packed = execFileSync("npm", ["pack", folder, "--pack-destination", target, "--json"], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
const [{ filename, size, unpackedSize }] = JSON.parse(packed) as [
  { filename: string; size: number; unpackedSize: number },
];
process.stderr.write(
  `${Math.round(size / 1000)} kB packed, ${Math.round(unpackedSize / 1000)} kB unpacked\n`,
);
process.stdout.write(`${join(target, filename)}\n`);
