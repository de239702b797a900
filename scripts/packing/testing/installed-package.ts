/** Project of somebody who begins with an npm package: a folder of their own, and in it what npm installs. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { buildPackage } from "../build-package.ts";
import type { PackageName } from "../packages.ts";
import { startLocalRegistry } from "./local-registry.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

export type Output = { readonly code: number; readonly stdout: string };

export class InstalledPackage {
  readonly folder: string;
  readonly #name: string;

  constructor(folder: string, name: string) {
    this.folder = folder;
    this.#name = name;
  }

  installed(...path: string[]): string {
    return join(this.folder, "node_modules", this.#name, ...path);
  }

  /** The example of the package's README. */
  example(): string {
    return /```ts\n([\s\S]*?)```/.exec(readFileSync(this.installed("README.md"), "utf8"))![1]!;
  }

  /** Runs publint. @returns its complaints about the package */
  async complaints(): Promise<string[]> {
    const { messages, pkg } = await publint({ pkgDir: this.installed(), pack: false, strict: true });
    return messages.map((message) => formatMessage(message, pkg!)!);
  }

  /** Compiles files as a user's own project; the JavaScript lies beside each file afterwards. @returns the compiler's complaints */
  async compile(files: Readonly<Record<string, string>>): Promise<string[]> {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text);
    // TypeScript 7, which says the same as TypeScript 5 in a third of its time.
    const tsgo = join(root, "node_modules/@typescript/native-preview/bin/tsgo");
    const options = ["--module", "nodenext", "--target", "es2023", "--strict", "--types", "node"];
    const own = ["--singleThreaded", "--typeRoots", join(root, "node_modules/@types")];
    const { stdout } = await this.#node([tsgo, ...options, ...own, ...Object.keys(files)], {});
    for (const name of Object.keys(files))
      if (!existsSync(join(this.folder, name.replace(/ts$/, "js")))) throw new Error(stdout);
    // The types of the package itself are checked, too; those of others are not its business.
    const isOurs = (line: string) => !line.includes("node_modules/") || line.includes(this.#name);
    return stdout.split("\n").filter((line) => /\(\d+,\d+\): error/.test(line) && isOurs(line));
  }

  /** Runs a program of the folder to its end. */
  run(
    file: string,
    env: Readonly<Record<string, string>> = {},
    args: readonly string[] = [],
  ): Promise<Output> {
    return this.#node([file, ...args], env);
  }

  #node(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Output> {
    const options = { cwd: this.folder, env: { PATH: process.env.PATH, ...env } };
    return run(process.execPath, args, options).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stderr, stdout }: { code: number; stdout: string; stderr: string }) => ({
        code,
        stdout: `${stdout}${stderr}`,
      }),
    );
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Packs the tarball and installs it, with viem where it names that as a peer. Everything else comes with it. */
export async function installPackage(packageName: PackageName): Promise<InstalledPackage> {
  const folder = mkdtempSync(join(tmpdir(), `openledger-${packageName}-`));
  const registry = await startLocalRegistry(root);
  try {
    const content = join(folder, "content");
    const { name, version } = buildPackage(packageName, content);
    await run("npm", ["pack", content, "--pack-destination", folder, "--silent"]);
    rmSync(content, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
    const cache = ["--cache", join(folder, ".npm")];
    const flags = ["--registry", registry.url, ...cache, "--ignore-scripts", "--no-audit"];
    await run("npm", ["install", `./${name}-${version}.tgz`, ...flags], { cwd: folder });
    return new InstalledPackage(folder, name);
  } finally {
    registry.close();
  }
}
