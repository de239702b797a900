/**
 * A base whose tokens are bytes and which says a text that is known: what its position says, whatever was read. Tests of clients need
 * answers of a certain form.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { madeConfigs, makeModel, writeMadeModel } from "./made-models.ts";

const SIZE = 256;

/**
 * Writes the base. Its answer at the likeliest tokens is what `says` has at the position of each byte; behind the texts the end token.
 * @param says texts by the byte length of the prompt that they answer
 */
export async function writeScriptedBase(
  folder: string,
  says: ReadonlyMap<number, string>,
  chatTemplate: string | null,
): Promise<void> {
  const width = 16 * Math.ceil(Math.max(...[...says].map(([at, text]) => at + text.length + 1)) / 16);
  const config = {
    ...madeConfigs.gpt2,
    vocab_size: SIZE,
    n_embd: width,
    n_positions: width,
    n_layer: 1,
    tie_word_embeddings: false,
    eos_token_id: 0,
  };
  const square = (scale: number) =>
    Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? scale : 0));
  const head = new Float32Array(SIZE * width);
  for (const [length, text] of says)
    for (const [i, byte] of [...new TextEncoder().encode(text), 0].entries())
      head[byte * width + length - 1 + i] = 1;
  const { tensors } = makeModel(config, "script");
  const changed = tensors.map((tensor) => {
    if (tensor.name.endsWith("wpe.weight")) return { ...tensor, values: square(1) };
    if (tensor.name.endsWith("ln_f.weight")) return { ...tensor, values: new Float32Array(width).fill(1) };
    // Nothing else reaches the output: tokens and layers add zeros.
    return { ...tensor, values: new Float32Array(tensor.values.length) };
  });
  changed.push({ name: "lm_head.weight", shape: [SIZE, width], values: head });
  await writeMadeModel(folder, { config, tensors: changed });
  if (chatTemplate !== null) await writeFile(join(folder, "chat_template.jinja"), chatTemplate);
}
