/** The circom compiler (WASM, from npm) on threads of this process; compile.ts calls it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

const requireFrom = createRequire(import.meta.url);
// The compiler's ES2023 library has no WebAssembly, and the DOM's would bring far more than that.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { compile(code: Uint8Array): Promise<object> };
};

/** Compiled once a process, by its first circuit. */
let compiler: Promise<object> | null = null;

/**
 * Runs the compiler once.
 * @param rootPath the folder that the compiler sees; paths in `args` are relative to it
 * @returns null, or why it failed
 */
export async function runCircom(
  args: readonly string[],
  rootPath: string,
  onOutput: (text: string) => void,
): Promise<string | null> {
  compiler ??= readFile(requireFrom.resolve("circom2/circom.wasm")).then((bytes) =>
    WebAssembly.compile(bytes),
  );
  const workerData = { module: await compiler, args, rootPath };
  const worker = new Worker(new URL("./circom-thread.js", import.meta.url), { workerData, execArgv: [] });
  return new Promise((settle) => {
    let status: number | null = null;
    worker.on("message", (message: string | { readonly status: number }) => {
      if (typeof message === "string") onOutput(message);
      else ({ status } = message);
    });
    worker.once("error", (error) => settle(error.message));
    worker.once("exit", () => settle(status === 0 ? null : `exit status ${status ?? "unknown"}`));
  });
}
