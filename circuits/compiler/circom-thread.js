/**
 * One run of the circom compiler (WASM, from npm) in a thread. A process of its own would compile the compiler itself first,
 * which takes a second of a core; threads of one process share that work.
 *
 * workerData: `{ module, args, rootPath }`. Messages: strings, as the compiler prints them; at last `{ status }`.
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";

const { CircomRunner, bindings } = createRequire(import.meta.url)("circom2");
const { module, args, rootPath } = workerData;

const decoder = new TextDecoder();
/** A thread's output is the compiler's own: it is told, and not printed. */
const fileSystem = {
  ...fs,
  writeSync(fd, bytes, offset = 0, length = bytes.length - offset, ...place) {
    if (fd !== 1 && fd !== 2) return fs.writeSync(fd, bytes, offset, length, ...place);
    parentPort.postMessage(decoder.decode(bytes.subarray(offset, offset + length)));
    return length;
  },
};

class Exit extends Error {
  constructor(status) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

/** Takes a compiled module where the package compiles its bytes. */
class Circom extends CircomRunner {
  compile(compiled) {
    return compiled;
  }
}

const circom = new Circom({
  args,
  env: {},
  preopens: { ".": rootPath },
  bindings: {
    ...bindings,
    fs: fileSystem,
    exit(status) {
      throw new Exit(status);
    },
    kill(signal) {
      throw new Error(`signal ${signal}`);
    },
  },
});
let status = 0;
try {
  await circom.execute(module);
} catch (error) {
  if (!(error instanceof Exit)) throw error;
  status = error.status;
}
parentPort.postMessage({ status });
