/**
 * Pictures' files as pixels: PNG, JPEG, WebP, and a GIF's first picture, of any colours and of any size within picture-limits.ts. The
 * decoders are pinned programs (libjpeg and libwebp as WebAssembly, PNG and GIF in JavaScript), so that Node and pages get the same bytes.
 * Bounds are checked in the file's header, before a decoder sees it.
 */
import jpegFactory from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import webpFactory from "@jsquash/webp/codec/dec/webp_dec.js";
import type { DecodedPicture } from "./decoded-picture.ts";
import { readJpegProgram, readWebpProgram } from "./decoder-files.ts";
import { readGif } from "./gif-picture.ts";
import { type PictureHeader, readJpegHeader } from "./jpeg-header.ts";
import { MAX_PICTURE_BYTES } from "./picture-limits.ts";
import { PictureProblem } from "./picture-problem.ts";
import { pictureTypeOf } from "./picture-type.ts";
import { readPng } from "./png-picture.ts";
import { readWebpHeader } from "./webp-header.ts";

/** Reads a picture's file. @throws PictureProblem */
export type ReadPicture = (content: Uint8Array) => DecodedPicture;

// Node's types have no WebAssembly, and the DOM's would bring far more than that.
interface WasmApi {
  compile(program: Uint8Array): Promise<Program>;
  readonly Instance: new (program: Program, imports: object) => { readonly exports: object };
}
type Program = object;
const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: WasmApi };

let opened: Promise<ReadPicture> | undefined;

/** The reader of pictures; the decoders are loaded once. */
export function openPictures(): Promise<ReadPicture> {
  opened ??= load();
  // A failed request is tried again.
  opened.catch(() => {
    opened = undefined;
  });
  return opened;
}

/** Reader that decodes a file once where it is read several times in a row. */
export function readingOnce(read: ReadPicture): ReadPicture {
  let last: { readonly content: Uint8Array; readonly picture: DecodedPicture } | null = null;
  return (content) => {
    const isLast =
      last?.content.length === content.length && last.content.every((byte, i) => byte === content[i]);
    if (!isLast) last = { content, picture: read(content) };
    return last!.picture;
  };
}

async function load(): Promise<ReadPicture> {
  const [jpeg, webp] = await Promise.all([
    readJpegProgram().then((program) => wasm.compile(program)),
    readWebpProgram().then((program) => wasm.compile(program)),
  ]);
  // As stored: the orientation is applied later, to all types alike.
  const decodeJpeg = decoderOf(jpegFactory as Factory, jpeg, [false]);
  const decodeWebp = decoderOf(webpFactory as Factory, webp, []);
  return (content) => {
    if (content.length > MAX_PICTURE_BYTES)
      throw new PictureProblem(`its ${content.length} bytes are more than ${MAX_PICTURE_BYTES}`);
    switch (pictureTypeOf(content)) {
      case "image/png":
        return readPng(content);
      case "image/gif":
        return readGif(content);
      case "image/jpeg":
        return decodeJpeg(content, readJpegHeader(content));
      case "image/webp":
        return decodeWebp(content, readWebpHeader(content));
      default:
        throw new PictureProblem("it is no PNG, JPEG, WebP or GIF file");
    }
  };
}

interface DecoderModule {
  noInitialRun: boolean;
  print: (line: string) => void;
  printErr: (line: string) => void;
  instantiateWasm: (imports: object, receive: (instance: { readonly exports: object }) => void) => object;
  /** There once the factory has returned: `instantiateWasm` is synchronous. */
  decode?(file: Uint8Array, ...options: boolean[]): RawPicture | null;
  readonly HEAPU8?: Uint8Array;
}
interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number> & { readonly buffer: ArrayBufferLike };
}
type Factory = (module: DecoderModule) => Promise<unknown>;

/** A decoder's memory never shrinks: one that has grown beyond this is left for a new one. */
const MAX_IDLE_BYTES = 2 ** 26;

type Decode = (content: Uint8Array, header: PictureHeader) => DecodedPicture;

function decoderOf(factory: Factory, program: Program, options: readonly boolean[]): Decode {
  let module: DecoderModule | undefined;
  return (content, { height, orientation, width }) => {
    module ??= start(factory, program);
    const raw = decodeBy(module, content, options);
    // What a file has made of a decoder, and the memory that it has left behind, is no later file's.
    if (raw === null || (module.HEAPU8?.length ?? 0) > MAX_IDLE_BYTES) module = undefined;
    if (raw === null) throw new PictureProblem("its file is damaged");
    if (raw.width !== width || raw.height !== height || raw.data.length !== 4 * width * height)
      throw new PictureProblem("its pixels are not as many as its header says");
    return { width, height, orientation, pixels: new Uint8Array(raw.data) };
  };
}

function decodeBy(
  module: DecoderModule,
  content: Uint8Array,
  options: readonly boolean[],
): RawPicture | null {
  try {
    return module.decode!(content, ...options);
  } catch {
    return null;
  }
}

function start(factory: Factory, program: Program): DecoderModule {
  const module: DecoderModule = {
    noInitialRun: true,
    print: () => {},
    printErr: () => {},
    instantiateWasm(imports, receive) {
      const instance = new wasm.Instance(program, imports);
      receive(instance);
      return instance.exports;
    },
  };
  // It settles with the module; that a file ends a program shows where it is decoded.
  factory(module).catch(() => {});
  return module;
}
