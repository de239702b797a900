/** Opens a recipe's inputs: the one position that knows kinds. Trainings, answers, checks and pages take the counter. */

import type { DecodedPicture } from "../pictures/decoded-picture.ts";
import { PictureProblem } from "../pictures/picture-problem.ts";
import { openPictures, type ReadPicture } from "../pictures/pictures.ts";
import { contentOf, inputOf, invalidRow } from "../rows/row-content.ts";
import { decodeTableRow } from "../rows/table-rows.ts";
import { bucketScales } from "./bucket-scales.ts";
import { countPicture } from "./image-inputs.ts";
import { type InputBase, type InputCounter, maxTermsOf } from "./input-counter.ts";
import type { ModelInputs } from "./model-inputs.ts";
import { countTable } from "./table-inputs.ts";
import { textCounter } from "./text-inputs.ts";

/** Ready to count. Decoders of pictures are loaded where they are needed. */
export async function openInputs(inputs: ModelInputs, position: InputBase): Promise<InputCounter> {
  const termBuckets = inputs.bucketCount - position.baseBuckets;
  const maxTerms = maxTermsOf(position);
  const { kind } = inputs;
  const counter = {
    kind,
    termBuckets,
    scales: bucketScales(inputs, termBuckets),
    promptOf: (content: Uint8Array) => inputOf(kind, content),
    contentOf: (prompt: string) => contentOf(kind, prompt),
  };
  switch (kind) {
    case "text": {
      const count = textCounter(inputs, { buckets: termBuckets, maxTerms });
      return { ...counter, countsOf: (prompt) => count(contentOf(kind, prompt)) };
    }
    case "table": {
      const room = { buckets: termBuckets, maxTerms };
      return {
        ...counter,
        countsOf: (prompt) =>
          countTable(decodeTableRow(inputs.fields, contentOf(kind, prompt)), inputs, room),
      };
    }
    case "image": {
      const read = await openPictures();
      return {
        ...counter,
        countsOf: (prompt) => countPicture(readRow(read, contentOf(kind, prompt)), inputs, termBuckets),
      };
    }
    default:
      return kind satisfies never;
  }
}

/** Requires a picture's file that models read. @throws ATT_ROW_INVALID */
export async function requirePicture(content: Uint8Array): Promise<void> {
  readRow(await openPictures(), content);
}

/** Reads a row's picture. @throws ATT_ROW_INVALID */
function readRow(read: ReadPicture, content: Uint8Array): DecodedPicture {
  try {
    return read(content);
  } catch (cause) {
    if (cause instanceof PictureProblem) throw invalidRow("image", cause.message, cause);
    throw cause;
  }
}
