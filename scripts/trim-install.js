/**
 * Removes files of installed packages that nothing can use here: after `npm ci`, before anything is compiled, so plain JavaScript.
 * They are a quarter of an installation.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

// wasmcurves publishes the inputs of its own tests: 35 MB.
rmSync(join(modules, "wasmcurves", "test"), { recursive: true, force: true });

// webgpu publishes Dawn for every platform in one package: 70 MB, of which one file of 11 to 20 MB can be loaded here.
const dawn = join(modules, "webgpu", "dist");
const isOurs = (name) =>
  name.startsWith(`${process.platform}-${process.arch}.`) ||
  (process.platform === "darwin" && name.startsWith("darwin-universal.")) ||
  (process.platform === "win32" && name.endsWith(".dll"));
if (existsSync(dawn)) {
  const files = readdirSync(dawn);
  // A platform that has no file keeps all, and says so when Dawn is opened.
  if (files.some(isOurs)) for (const name of files) if (!isOurs(name)) rmSync(join(dawn, name));
}

// Source maps of packages, 72 MB: they lead to the packages' TypeScript, most of which is not published beside them.
for (const { name, parentPath } of readdirSync(modules, { recursive: true, withFileTypes: true })) {
  if (/\.[cm]?(js|ts)\.map$/.test(name)) rmSync(join(parentPath, name));
}
