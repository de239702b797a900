/** Opens a recipe's inputs: the one place that knows kinds. Trainings, answers, checks and pages take the counter. */
import { contentOf, inputOf } from "../rows/row-content.ts";
import { type InputCounter, type InputPlace, maxTermsOf } from "./input-counter.ts";
import type { ModelInputs } from "./model-inputs.ts";
import { countText } from "./text-inputs.ts";

/** Ready to count. Decoders of pictures are loaded where they are needed. */
export async function openInputs(inputs: ModelInputs, place: InputPlace): Promise<InputCounter> {
  const termBuckets = inputs.bucketCount - place.baseBuckets;
  const max = maxTermsOf(place);
  switch (inputs.kind) {
    case "text":
      return {
        kind: "text",
        termBuckets,
        countsOf: (prompt) => countText(contentOf("text", prompt), termBuckets, max),
        promptOf: (content) => inputOf("text", content),
        contentOf: (prompt) => contentOf("text", prompt),
      };
    default:
      throw new Error(`${inputs.kind} is not here yet`);
  }
}
