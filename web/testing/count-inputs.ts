/** Entry of a page that counts inputs and scales pictures, for inputs.all.test.ts: it puts functions where a test reaches them. */
import "../no-eval.ts";
import type { ModelInputs } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import { base64Of, contentOf } from "@openledger/attribution/rows/row-content";
import { type PictureChange, shrinkPicture } from "../rows/shrink-picture.ts";

/** @param vectors bytes of the file that inputs name, as a page gets them from a server */
async function countInputs(
  question: readonly (readonly [ModelInputs, string])[],
  vectors: readonly number[],
): Promise<number[][]> {
  const file = Uint8Array.from(vectors);
  const all: number[][] = [];
  for (const [inputs, prompt] of question)
    all.push([...(await openInputs(inputs, { baseBuckets: 0 }, async () => file)).countsOf(prompt)]);
  return all;
}

/** A photograph's file in base64: noise, dark on the left and light on the right. */
async function takePhoto(width: number, height: number): Promise<string> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(width, height);
  for (let at = 0; at < image.data.length; at += 4) {
    const isLeft = (at / 4) % width < width / 2;
    image.data.fill((isLeft ? 0 : 180) + ((at * 7_919) % 73), at, at + 3);
    image.data[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 1 });
  return base64Of(new Uint8Array(await file.arrayBuffer()));
}

async function shrink(file: string, maxBytes: number): Promise<{ file: string; change: PictureChange }> {
  const { content, change } = await shrinkPicture(contentOf("image", file), maxBytes);
  return { file: base64Of(content), change };
}

Object.assign(globalThis, { countInputs, takePhoto, shrink });
