/** `openledger models generate`: continues a prompt with a base and an adapter on this machine, without a server or a ledger. */
import { readAdapter, readAdapterSettings } from "@openledger/models/engine/files/adapter-files";
import { weightsOf } from "@openledger/models/engine/files/base-weights";
import { loadModel, openModel } from "@openledger/models/engine/files/load-model";
import { begun, openTokenizer } from "@openledger/models/engine/tokens/tokenizer";
import { baseSourceAt } from "@openledger/models/tuning/base/base-address";
import { generate } from "@openledger/models/tuning/training/generate";
import { commandError } from "../../../cli/cli-errors.ts";
import type { CommandContext } from "../../../cli/run-command.ts";
import { type GenerateOptions, parseCount, parseNumber } from "../language-options.ts";
import { parseKernels, parseWeights } from "./language-base.ts";

/** Prints the answer, and tokens a second. */
export async function generateText({
  args,
  options,
  output,
}: CommandContext<GenerateOptions>): Promise<void> {
  const tokenCount = parseCount(options.tokens, "--tokens", 1, 100_000);
  const temperature = parseNumber(options.temperature, "--temperature", 0, 10);
  const kernels = parseKernels(options.kernels);
  const source = baseSourceAt(options.base);
  const opened = await openModel(source);
  const { model, tokenizer } = await (async () => {
    try {
      const tokens = await openTokenizer(source, opened.shape.vocabularySize);
      const prompt = begun(tokens, tokens.encode(args[0]!));
      if (prompt.length === 0) throw commandError("CMD_USAGE", "the prompt is empty");
      const adapterSource = options.adapter === undefined ? null : baseSourceAt(options.adapter);
      const adapter = adapterSource === null ? {} : { adapter: await readAdapterSettings(adapterSource) };
      output.progress(`loading ${source.name}`);
      const maxRows = Math.min(prompt.length + tokenCount, opened.shape.maxPositions);
      const weights = parseWeights(options.weights, opened.layout);
      const loaded = await loadModel(opened, { kernels, maxRows, isTraining: false, weights, ...adapter });
      if (adapterSource !== null) {
        const { at, layout } = loaded.model.adapter!;
        const base = weightsOf(loaded.model);
        await readAdapter(adapterSource, opened.shape, layout, base.arena, at, base);
      }
      return { model: loaded.model, tokenizer: { ...tokens, prompt } };
    } finally {
      await opened.close();
    }
  })();
  const { prompt } = tokenizer;
  const room = model.workspace.maxRows - prompt.length;
  const startedAtMs = performance.now();
  const answer = [
    ...generate(model, prompt, { tokenCount: Math.min(tokenCount, room), temperature, seed: options.seed }),
  ];
  const tokensPerSecond = (1000 * answer.length) / (performance.now() - startedAtMs);
  const text = tokenizer.decode(answer);
  output.answer(
    [
      text,
      `${answer.length} tokens by ${model.kernels.name} and ${model.layout.weights}, ${tokensPerSecond.toFixed(1)} a second`,
    ],
    {
      prompt: args[0]!,
      text,
      tokens: answer,
      kernels: model.kernels.name,
      weights: model.layout.weights,
      tokensPerSecond,
    },
  );
}
