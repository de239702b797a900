/**
 * Loader of Dawn, Chromium's WebGPU, into this process: over the machine's Vulkan driver, or over SwiftShader
 * for tests. The webgpu back end and attribution's GPU scores open it.
 */
import { copyFile, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { archiveVersion, readPackageArchive, readTar } from "@openledger/foundation/archives/package-archive";
import type {} from "webgpu"; // the global types of WebGPU
import { proverError } from "../prover-errors.ts";

/**
 * Kind of adapter. "hardware": from the machine's own Vulkan driver. "software": SwiftShader, WebGPU computed
 * by the processor: the same shaders, correct and slow. It is for tests, and never used without a request.
 */
export type AdapterKind = "hardware" | "software";

interface DawnModule {
  create(options: string[]): GPU;
}

const require = createRequire(import.meta.url);
const loaded = new Map<AdapterKind, Promise<DawnModule>>();
// Dawn's objects die with the instance that made them: it lives as long as the process.
const instances = new Map<AdapterKind, GPU>();

/**
 * Opens Dawn in this process.
 *
 * Version 0.4.0 of the npm package: later ones need libstdc++ 6.0.32 and glibc 2.38, which Debian 12 and
 * Ubuntu 22.04 lack.
 *
 * @throws RollupError PRV_GPU_UNAVAILABLE
 */
export async function openDawn(kind: AdapterKind): Promise<GPU> {
  let library = loaded.get(kind);
  if (library === undefined) {
    library = kind === "hardware" ? importDawn() : loadOverSwiftShader();
    loaded.set(kind, library);
  }
  try {
    const { create } = await library;
    let instance = instances.get(kind);
    if (instance === undefined) {
      // Elsewhere the system's own interface is the better one.
      instance = create(process.platform === "linux" ? ["backend=vulkan"] : []);
      instances.set(kind, instance);
    }
    return instance;
  } catch (cause) {
    loaded.delete(kind);
    const { message } = cause as Error;
    const reason = kind === "hardware" ? "Dawn (npm package webgpu)" : "SwiftShader's Dawn";
    throw proverError("PRV_GPU_UNAVAILABLE", `${reason} could not be loaded: ${message}`, {
      data: { kind, reason: message },
      cause,
    });
  }
}

async function importDawn(): Promise<DawnModule> {
  return (await import("webgpu")) as DawnModule;
}

/**
 * Dawn searches for `libvulkan.so.1` beside itself before it searches the system. So a folder with Dawn and,
 * under that name, SwiftShader is all that the software adapter needs: no Vulkan loader, no settings of the
 * environment. SwiftShader comes from the archive of an npm package that brings Chromium's.
 */
async function loadOverSwiftShader(): Promise<DawnModule> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error("the software adapter is packed for Linux on x64 alone");
  const dawn = join(dirname(require.resolve("webgpu")), "dist/linux-x64.dawn.node");
  const { size } = await stat(dawn);
  const folder = join(
    repositoryRoot,
    ".cache/webgpu",
    `${size}-copy-chromium-${archiveVersion("@sparticuz/chromium")}`,
  );
  const library = join(folder, "dawn.node");
  const isThere = await stat(library).catch(() => null);
  if (isThere === null) {
    const part = `${folder}.${process.pid}`;
    await mkdir(part, { recursive: true });
    const packed = readPackageArchive("@sparticuz/chromium").get("bin/swiftshader.tar.br")!;
    const swiftShader = readTar(await promisify(brotliDecompress)(packed)).get("libvk_swiftshader.so")!;
    await writeFile(join(part, "libvulkan.so.1"), swiftShader);
    // No link: the system takes two names of one file for one library, and a process that has Dawn would get that again.
    await copyFile(dawn, join(part, "dawn.node"));
    // Another process may have been faster: its folder is as good.
    await rename(part, folder).catch(() => rm(part, { recursive: true }));
  }
  const module = { exports: {} };
  process.dlopen(module, library);
  return module.exports as DawnModule;
}
