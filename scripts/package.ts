/** Builds the npm packages and packs them. Prints the tarballs' paths: npm run package -- [folder] */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { buildPackage } from "./packing/build-package.ts";
import { PACKAGE_NAMES } from "./packing/packages.ts";

const command = new Command("npm run package --")
  .description("builds the npm packages and packs them; prints the tarballs' paths")
  .argument("[folder]", "where they go", ".openledger/package")
  .parse();
const target = resolve(command.processedArgs[0] as string);
mkdirSync(target, { recursive: true });
for (const name of PACKAGE_NAMES) {
  const { folder } = buildPackage(name, join(target, name));
  const packed = execFileSync("npm", ["pack", folder, "--pack-destination", target, "--json"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [{ filename, size, unpackedSize }] = JSON.parse(packed) as [
    { filename: string; size: number; unpackedSize: number },
  ];
  const [packedKb, unpackedKb] = [size, unpackedSize].map((bytes) => Math.round(bytes / 1000));
  process.stderr.write(`${name}: ${packedKb} kB packed, ${unpackedKb} kB unpacked\n`);
  process.stdout.write(`${join(target, filename)}\n`);
}
