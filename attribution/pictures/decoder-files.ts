/** Programs of the decoders of JPEG and WebP, in Node; decoder-files.browser.ts has them for pages. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { resolve } = createRequire(import.meta.url);

export const readJpegProgram = (): Promise<Uint8Array> =>
  readFile(resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"));

export const readWebpProgram = (): Promise<Uint8Array> =>
  readFile(resolve("@jsquash/webp/codec/dec/webp_dec.wasm"));
