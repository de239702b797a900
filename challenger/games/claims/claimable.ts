/** Whether claims of a recipe's queries can be sent and disputed: by anyone, in one transaction a move (docs/explanation/fault-proofs.md). */
import { isRollupError } from "@openledger/foundation/rollup-error";
import { adapterLayout } from "@openledger/models/architecture/adapter-layout";
import type { ModelShape } from "@openledger/models/architecture/model-shape";
import { modelError } from "@openledger/models/model-errors";
import { openBase, shapeOfBase } from "@openledger/models/registered/base-files";
import type { TextSetting } from "@openledger/models/registered/text-model";
import {
  requireTraceable,
  type TextRecipe,
  tracedTokens,
  weightsOf,
} from "@openledger/models/registered/text-recipe";
import {
  MOST_TRACED_TOKENS,
  mostClaimedBytes,
  TRANSACTION_BYTES,
} from "@openledger/models/registered/text-tokens";
import { readSpelling } from "@openledger/models/tokens/token-spelling";
import { queryProgram } from "../../trace/query-program.ts";
import { LONGEST_CHAIN, LONGEST_ROW } from "../../trace/trace-op.ts";
import { vocabularyFault } from "./prompt-vocabulary.ts";

/** Of the longest trace, with the model's own ones. A watcher holds all of them: 4.25 bytes each, 3.2 GiB. */
const MOST_TRACE_NUMBERS = 3 * 2 ** 28;
/** Of the programs for every length: whoever opens the model describes and hashes each, some 20 µs an operation. */
const MOST_PROGRAM_OPS = 2 ** 24;

/**
 * Of a game's last move, besides tokens and the numbers that it opens: roots, the operation, a signature, and of each of five
 * sources two nodes a level of its operation, and a path of operations.
 */
const SHOWN_BYTES = 16 * 1_024;
/** Of a token in the statement, and of a number that is opened. */
const WORD_BYTES = 4;

/**
 * Most numbers that one number of a trace is made of, as they are opened: two rows of a chain or of attention, a piece of the
 * logits' row, or three rows of a norm on its way back.
 */
export const mostOpened = ({ width }: Pick<ModelShape, "width">): number =>
  Math.max(2 * LONGEST_CHAIN, 2 * MOST_TRACED_TOKENS, LONGEST_ROW, 3 * width);

/** Most numbers that a game's last move has room for, of texts of so many tokens. */
export const mostShownNumbers = (tokens: number): number =>
  Math.floor((TRANSACTION_BYTES - SHOWN_BYTES) / WORD_BYTES) - tokens;

/**
 * Whether anyone can hold a trace of so many tokens, and open the model at all. Attack: a liar whose traces take more memory
 * than watchers have.
 *
 * @returns why not; null where all can. @throws what an adapter is refused for
 */
export function traceFault(recipe: TextRecipe, shape: ModelShape, tokens: number): string | null {
  const { featureCount } = recipe.method;
  const adapter = adapterLayout(shape, recipe.adapter);
  const bound = { mostNumbers: MOST_TRACE_NUMBERS, mostOps: Math.floor(MOST_PROGRAM_OPS / tokens) };
  try {
    queryProgram({ shape, adapter, featureCount, maxRows: tokens }, tokens - 1, bound);
    return null;
  } catch (error) {
    if (isRollupError(error, "MOD_TOO_LARGE")) return error.message;
    throw error;
  }
}

/**
 * Of a recipe that is to promise claims: whether a claim of its longest texts can be sent, with a byte a token at least, and
 * each of a trace's numbers be shown.
 * Attacks: an owner whose every answer leaves no room for a claim of it; who pays would find out at the first draw. A liar whose
 * false number, or false token, is one that no transaction shows.
 *
 * @throws ATT_RECIPE_INVALID for what no trace shows, MOD_CLAIMS_TOO_LARGE, and what `shapeOfBase` throws
 */
export async function requireClaimable(
  recipe: TextRecipe,
  { bases }: Pick<TextSetting, "bases">,
): Promise<void> {
  const shape = await shapeOfBase(recipe.base, bases);
  requireTraceable({ ...recipe, weights: weightsOf(recipe, shape) });
  const { answerTokens: answered, promptTokens } = recipe.answers;
  const most = mostShownNumbers(promptTokens + answered);
  const room = mostClaimedBytes(promptTokens, recipe);
  const tooLarge = (why: string, data: object) =>
    modelError("MOD_CLAIMS_TOO_LARGE", `no claim of this model's longest texts can be sent: ${why}`, {
      data,
    });
  // The first of all faults: who has another one may be played for its shorter texts. The base reads no longer ones.
  const fault = traceFault(recipe, shape, Math.min(tracedTokens(recipe), shape.maxPositions + 1));
  if (fault !== null) throw tooLarge(fault, { reason: "trace-size" });
  if (promptTokens + answered > MOST_TRACED_TOKENS)
    throw tooLarge(`they have ${promptTokens + answered} tokens, and a claim ${MOST_TRACED_TOKENS} at most`, {
      ...{ tokens: promptTokens + answered, mostTokens: MOST_TRACED_TOKENS },
    });
  if (room < promptTokens)
    throw tooLarge(`${promptTokens} tokens of a prompt have ${room} bytes left`, {
      promptTokens,
      roomBytes: room,
    });
  const numbers = mostOpened(shape);
  if (numbers > most)
    throw tooLarge(`of width ${shape.width} a game shows ${numbers} numbers at once, and ${most} at most`, {
      ...{ reason: "width", width: shape.width, numbers, mostNumbers: most },
    });
  const spelling = await readSpelling(await openBase(recipe.base, bases), shape.vocabularySize);
  const unshown = spelling && vocabularyFault(spelling);
  if (unshown !== null) throw tooLarge(unshown, { reason: "vocabulary" });
}
