/**
 * Access of an exit page to the circuits' files and the workers that it needs: from the server, or, in the single file, from
 * the page itself. ExitPanel and the page's prover take them.
 */
import circuits from "virtual:exit-circuits";
import { verifierError } from "@openledger/verifier/verifier-errors";

export interface ExitTools {
  /** Names of the circuits that this build brings along. */
  readonly circuits: readonly string[];
  /** `<circuit>.zkey` or `<circuit>.wasm`, unpacked. */
  readonly readFile: (name: string) => Promise<Uint8Array>;
  readonly startProver: () => Promise<Worker>;
  /** Worker behind `PageBlobs`. */
  readonly startBlobCheck: () => Promise<Worker>;
}

/** Reads the files beside the served page. */
export const servedTools: ExitTools = {
  circuits,
  async readFile(name) {
    const response = await fetch(`./exit/${name}.gz`);
    if (!response.ok) {
      throw verifierError("CLI_KEYS_MISSING", `the server of this page has no ${name}`, {
        data: { file: name },
      });
    }
    return unpack(await response.blob());
  },
  startProver: async () => new Worker("./exit/prove-worker.js"),
  startBlobCheck: async () => new Worker("./exit/blob-worker.js"),
};

/** Reads the files in the page: blocks of data that no browser runs, each gzip in base64. */
export const embeddedExitTools: ExitTools = {
  circuits,
  readFile: (name) => readBlock(name),
  startProver: () => startBlock("prove-worker.js"),
  startBlobCheck: () => startBlock("blob-worker.js"),
};

/** A page of a file may load no other file; an object of its own has an address. */
async function startBlock(name: string): Promise<Worker> {
  const script = new Blob([new Uint8Array(await readBlock(name))], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(script));
}

async function readBlock(name: string): Promise<Uint8Array> {
  const block = document.getElementById(name);
  if (block === null)
    throw verifierError("CLI_KEYS_MISSING", `this page holds no ${name}`, { data: { file: name } });
  return unpack(new Blob([fromBase64(block.textContent!)]));
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function unpack(packed: Blob): Promise<Uint8Array> {
  const bytes = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(bytes).arrayBuffer());
}
