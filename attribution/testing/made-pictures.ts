/**
 * Pictures of coloured shapes for tests and the bench of small sets: a circle, a square or a triangle in one of four colours, as JPEG files.
 * Place, size, rotation, hue, ground and noise are random, so that neither pixels nor a small grid of them tell the labels.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import jpegFactory from "@jsquash/jpeg/codec/enc/mozjpeg_enc.js";
import { defaultOptions } from "@jsquash/jpeg/meta.js";
import { SeededRandom } from "../maths/seeded-random.ts";
import type { LabelledInput } from "../rows/row-content.ts";

const SHAPES = ["circle", "square", "triangle"] as const;
type Shape = (typeof SHAPES)[number];
/** Middle of each colour's hues, in degrees. */
const HUES = { red: 0, yellow: 52, green: 125, blue: 222 } as const;
const COLOURS = Object.keys(HUES) as (keyof typeof HUES)[];

/** Labels: three shapes in four colours. */
export const PICTURE_CLASSES: readonly string[] = SHAPES.flatMap((shape) =>
  COLOURS.map((colour) => `${colour} ${shape}`),
);

/** Least and largest side of a picture in pixels. */
const SIDES = [72, 128] as const;
/** Least and largest part of the shorter side that a shape's own side or diameter is. */
const SIZES = [0.15, 0.6] as const;
/** Degrees that a hue is off its colour's middle, at most. */
const HUE_SPREAD = 12;
/** Least distance of a shape's colour from the ground's, of 441. */
const MIN_CONTRAST = 110;
/** Largest noise of a channel, of 255. */
const MAX_NOISE = 28;
/** Points of a pixel's side that are asked whether they lie in the shape. */
const POINTS = 3;
/** Least and largest quality of a JPEG file. */
const QUALITIES = [60, 95] as const;

type Rgb = readonly [red: number, green: number, blue: number];

/**
 * Draws pictures, label after label in turn. The same seed gives the same files on every machine whose JavaScript has the same sines.
 * @param count of pictures, over all labels
 */
export function madePictures(count: number, seed: string): LabelledInput[] {
  const random = new SeededRandom(`made pictures/${seed}`);
  const encode = openEncoder();
  return Array.from({ length: count }, (_, k) => {
    const label = k % PICTURE_CLASSES.length;
    const shape = SHAPES[Math.floor(label / COLOURS.length)]!;
    const { height, pixels, quality, width } = drawn(shape, HUES[COLOURS[label % COLOURS.length]!], random);
    return { label, input: Buffer.from(encode(pixels, width, height, quality)).toString("base64") };
  });
}

/** A shape of one colour on a ground that changes evenly from one side to the other. */
function drawn(shape: Shape, hue: number, random: SeededRandom) {
  const between = (from: number, to: number) => from + (to - from) * random.nextFraction();
  const [width, height] = [Math.floor(between(...SIDES)), Math.floor(between(...SIDES))];
  const radius = (Math.min(width, height) * between(...SIZES) * OUTER[shape]) / 2;
  const [x, y] = [between(radius, width - radius), between(radius, height - radius)];
  const angle = between(0, 2 * Math.PI);
  const colour = rgbOf(hue + between(-HUE_SPREAD, HUE_SPREAD), between(0.65, 1), between(0.55, 1));
  const groundColour = () => rgbOf(between(0, 360), between(0, 0.5), between(0, 1));
  let ground = groundColour();
  while (distance(ground, colour) < MIN_CONTRAST) ground = groundColour();
  const slope = [between(-30, 30), between(-30, 30)] as const;
  const noise = between(0, MAX_NOISE);
  const isInside = insideOf(shape, radius, angle);
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const covered = coverage(column - x, row - y, radius, isInside);
      const shade = slope[0] * (column / width - 0.5) + slope[1] * (row / height - 0.5);
      for (let channel = 0; channel < 3; channel++)
        pixels[4 * (row * width + column) + channel] =
          covered * colour[channel]! + (1 - covered) * (ground[channel]! + shade) + between(-noise, noise);
    }
  return { width, height, pixels, quality: Math.floor(between(...QUALITIES)) };
}

/** Part of a pixel that a shape around 0 covers. @param dx of the pixel's corner */
function coverage(dx: number, dy: number, radius: number, isInside: Inside): number {
  if (Math.max(Math.abs(dx), Math.abs(dy)) > radius + 1) return 0;
  let count = 0;
  for (let k = 0; k < POINTS ** 2; k++)
    if (isInside(dx + ((k % POINTS) + 0.5) / POINTS, dy + (Math.floor(k / POINTS) + 0.5) / POINTS)) count++;
  return count / POINTS ** 2;
}

/** Diameter of the circle around a shape of side or diameter 1. */
const OUTER: Readonly<Record<Shape, number>> = {
  circle: 1,
  square: Math.SQRT2,
  triangle: 2 / Math.sqrt(3),
};

type Inside = (dx: number, dy: number) => boolean;

/** Says whether a point is inside of a shape around 0. @param radius of the circle around it */
function insideOf(shape: Shape, radius: number, angle: number): Inside {
  if (shape === "circle") return (dx, dy) => dx * dx + dy * dy <= radius * radius;
  const count = shape === "square" ? 4 : 3;
  const inner = radius * Math.cos(Math.PI / count);
  const normals = Array.from({ length: count }, (_, k) => {
    const direction = angle + (2 * Math.PI * k) / count;
    return [Math.cos(direction), Math.sin(direction)] as const;
  });
  return (dx, dy) => normals.every(([nx, ny]) => dx * nx + dy * ny <= inner);
}

const distance = (a: Rgb, b: Rgb): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** Red, green and blue of 255. @param hue in degrees */
function rgbOf(hue: number, saturation: number, value: number): Rgb {
  const channel = (offset: number) => {
    const k = (((offset + hue / 60) % 6) + 6) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

type Encode = (pixels: Uint8ClampedArray, width: number, height: number, quality: number) => Uint8Array;

interface EncoderModule {
  encode?(pixels: Uint8ClampedArray, width: number, height: number, options: object): Uint8Array;
}

// Node's types have no WebAssembly.
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: {
    readonly Module: new (program: Uint8Array) => object;
    readonly Instance: new (program: object, imports: object) => { readonly exports: object };
  };
};

/** The encoder of the package whose decoder reads pictures: mozjpeg as WebAssembly. */
function openEncoder(): Encode {
  const program = new wasm.Module(
    readFileSync(createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm")),
  );
  const module: EncoderModule = {};
  (jpegFactory as unknown as (module: object) => unknown)(
    Object.assign(module, {
      noInitialRun: true,
      instantiateWasm(imports: object, receive: (instance: { readonly exports: object }) => void) {
        const instance = new wasm.Instance(program, imports);
        receive(instance);
        return instance.exports;
      },
    }),
  );
  return (pixels, width, height, quality) => {
    const file = module.encode!(pixels, width, height, { ...defaultOptions, quality });
    return Uint8Array.from(file);
  };
}
