/** Programs of the decoders of JPEG and WebP, in pages: files of the site beside its scripts. */
import jpegUrl from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url";
import webpUrl from "@jsquash/webp/codec/dec/webp_dec.wasm?url";

export const readJpegProgram = (): Promise<Uint8Array> => read(jpegUrl);

export const readWebpProgram = (): Promise<Uint8Array> => read(webpUrl);

async function read(url: string): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
