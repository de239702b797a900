/**
 * Recipe of a language model on the ledger: all that decides the bytes of adapter, features and answers. Its hash is part of a
 * published model, so the schema is a format: trainers, factory and verifiers parse it.
 */
import { MAX_FEATURE_COUNT } from "@openledger/attribution/features/quantise";
import { checkedRecipe, recipeFields } from "@openledger/attribution/model/recipe-fields";
import { z } from "zod";
import {
  type ModelShape,
  parameterLayout,
  usualWeights,
  WEIGHT_NUMBERS,
  type WeightNumbers,
} from "../../engine/architecture/model-shape.ts";
import { dimensionsOf, retrievalSchema } from "../retrieval/row-index.ts";
import { baseSchema } from "./base-files.ts";

const count = z.number().int().positive();
const part = z.number().min(0).max(0.999_999);
/** Bounds of a stranger's recipe. */
const MAX_TOKENS = 8_192;
const MAX_BEGIN_TOKENS = 8;
const MAX_END_TOKENS = 64;
/** Characters around a chat's question: some templates put a few lines there. */
const MAX_MARK_LENGTH = 4_096;
const MAX_COMPONENTS = 65_535;
/** A multiple of 16. */
const featureCount = count
  .min(16)
  .max(MAX_FEATURE_COUNT)
  .refine((features) => features % 16 === 0, "must be a multiple of 16");

/** A language model's recipe: a base, and an adapter that is tuned on the rows. Published in this order. */
const textRecipeSchema = z.strictObject({
  version: recipeFields.version,
  family: z.literal("text"),
  datanet: recipeFields.datanet,
  furtherDatanets: recipeFields.furtherDatanets,
  base: baseSchema,
  /**
   * Format of the base's matrices in training, gradients and answers. Absent: int8 from 67 million numbers on, else
   * float32.
   */
  weights: z.enum(WEIGHT_NUMBERS).optional(),
  seed: recipeFields.seed,
  /** Maximum tokens of a row: a longer one is refused, never cut. */
  rowTokens: count.min(2).max(MAX_TOKENS),
  /**
   * Tokens before each row, and before a prompt with its rows: the begin-of-text token that the base's tokenizer puts
   * there. Absent: nothing.
   */
  beginTokens: z.array(z.number().int().min(0)).min(1).max(MAX_BEGIN_TOKENS).optional(),
  /** Each row is trained on with the answers' end token behind it, so that answers learn to end. Absent: without. */
  rowsEnd: z.literal(true).optional(),
  /**
   * The base's chat template: chats and rows with prompts are read by it. Absent: their contents are read one after another.
   */
  chat: z
    .strictObject({
      /** SHA-256 of the template's text. */
      template: z.string().regex(/^[0-9a-f]{64}$/),
      /** Date that the template writes, as YYYY-MM-DD. Absent: it writes none. */
      date: z.iso.date().optional(),
      /** Texts directly before and behind a chat's last question, which rows are found for. Absent: rows are found for the whole text. */
      question: z
        .strictObject({
          before: z.string().min(1).max(MAX_MARK_LENGTH),
          after: z.string().min(1).max(MAX_MARK_LENGTH),
        })
        .optional(),
    })
    .optional(),
  /** LoRA, as PEFT names it. */
  adapter: z.strictObject({
    rank: count.max(256),
    alpha: z.number().positive().max(1e4),
    targets: z
      .array(
        z.enum([
          "q_proj",
          "k_proj",
          "v_proj",
          "o_proj",
          "gate_proj",
          "up_proj",
          "down_proj",
          "c_attn",
          "attn.c_proj",
          "c_fc",
          "mlp.c_proj",
        ]),
      )
      .min(1)
      .max(11),
    /**
     * Format of the adapter: rounded once it is tuned, so that a server stores it in half the memory without changing
     * an answer.
     */
    numbers: z.literal("halves").optional(),
  }),
  /** AdamW (models/tuning/training/tune-adapter.ts); its seed is the recipe's. */
  tuning: z.strictObject({
    steps: count.max(1_000_000),
    rowsPerStep: count.max(1_024),
    rate: z.number().positive().max(0.999),
    warmupSteps: z.number().int().min(0).max(1_000_000),
    beta1: part,
    beta2: part,
    epsilon: z.number().min(1e-12).max(0.1),
    decay: part,
    /** Part of the rate that is left at the last step. */
    lastPart: z.number().min(0).max(1),
    /**
     * Step whose adapter is published, if that is not the last one: the run was stopped, or held-out rows did best
     * there.
     */
    lastStep: count.max(1_000_000).optional(),
    /** A row counts by its tokens: in each step, in its features and in its base. Absent: all rows alike. */
    weigh: z.literal("tokens").optional(),
  }),
  /**
   * Number of rows, drawn by the seed, that are not trained on: they show how the model does on what it has not seen.
   * Their features are 0, so they earn no more than the base. Absent: none.
   */
  heldOut: count.max(100_000).optional(),
  /**
   * Method that turns rows into features: by tangents of the middle run (docs/adr/0013-tangents-of-the-run.md), or from
   * their gradients by EK-FAC, for more rows than tangents have room for. `components`: the map is folded
   * (models/tuning/influence/fold-directions.ts). Absent: it is whole.
   */
  method: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("tangent"),
      fisher: z.literal(9),
      featureCount,
      components: count.max(MAX_COMPONENTS).optional(),
    }),
    z.strictObject({
      kind: z.literal("ek-fac"),
      power: z.literal(0.5),
      damping: z.literal(0),
      featureCount,
    }),
  ]),
  answers: z.strictObject({
    /** Maximum tokens of a prompt with its rows: a longer one is refused. */
    promptTokens: count.max(MAX_TOKENS),
    /** Tokens of an answer; fewer if the end token comes. */
    answerTokens: count.max(MAX_TOKENS),
    /** 0: always the likeliest token. Else drawn, by a seed that prompt and recipe alone decide. */
    temperature: z.number().min(0).max(10),
    endToken: z.number().int().min(0).nullable(),
    /** Others that end an answer, as a turn of a chat; they count as the end token. Absent: none. */
    furtherEndTokens: z.array(z.number().int().min(0)).min(1).max(MAX_END_TOKENS).optional(),
    /**
     * Length of a run of tokens that an answer does not repeat. A token that would end such a run, and an end without
     * an answer, are passed over. Absent: no rule.
     */
    noRepeat: count.min(2).max(64).optional(),
    /** Tokens of a query: those that the base would not have said (shared-text.ts). Absent: all tokens alike. */
    weigh: z.literal("added").optional(),
  }),
  /** Rows are found for each prompt, read with it, cited by the answer, and paid. Absent: rows are paid by influence alone. */
  retrieval: retrievalSchema.optional(),
  rules: recipeFields.rules.extend({
    /**
     * A row's features and its base count less the further its loss without the adapter is from an ordinary one (row-surprisal.ts). squared:
     * by the row's mean, and the median row's; tokens: by the mean around each token. Absent: none do.
     */
    surprisal: z.enum(["squared", "tokens"]).optional(),
  }),
  columnCount: recipeFields.columnCount,
  terms: recipeFields.terms,
});
export type TextRecipe = z.infer<typeof textRecipeSchema>;

export type CitingTextRecipe = TextRecipe & { readonly retrieval: z.output<typeof retrievalSchema> };
export const isCiting = (recipe: TextRecipe): recipe is CitingTextRecipe => recipe.retrieval !== undefined;

/** Maximum tokens of a question: the prompt without the rows, as many as are found. */
export const questionTokens = ({ answers, retrieval }: TextRecipe): number =>
  answers.promptTokens - (retrieval === undefined ? 0 : retrieval.rows * retrieval.excerptTokens);

/** Tokens that end an answer. */
export const endTokensOf = ({
  answers: { endToken, furtherEndTokens = [] },
}: Pick<TextRecipe, "answers">): readonly number[] =>
  endToken === null ? [] : [endToken, ...furtherEndTokens];

/** Numbers of the base's matrices. @param shape of the recipe's base */
export const weightsOf = ({ weights }: Pick<TextRecipe, "weights">, shape: ModelShape): WeightNumbers =>
  weights ?? usualWeights(parameterLayout(shape));

/** @throws ATT_RECIPE_INVALID */
export const parseTextRecipe = (json: unknown): TextRecipe => checkedRecipe(checkedSchema, json);

const checkedSchema = textRecipeSchema
  .refine(({ tuning }) => (tuning.lastStep ?? 0) <= tuning.steps, {
    path: ["tuning", "lastStep"],
    message: "is above the steps",
  })
  .refine(({ answers, rowsEnd }) => rowsEnd === undefined || answers.endToken !== null, {
    path: ["rowsEnd"],
    message: "answers name no end token",
  })
  .refine(({ answers }) => answers.furtherEndTokens === undefined || answers.endToken !== null, {
    path: ["answers", "furtherEndTokens"],
    message: "answers name no end token",
  })
  .refine(({ retrieval }) => retrieval?.encoder === undefined || retrieval.says === "row", {
    path: ["retrieval", "encoder"],
    message: "is of models that say rows' answers",
  })
  .refine((recipe) => !isCiting(recipe) || (dimensionsOf(recipe) >= 8 && questionTokens(recipe) >= 8), {
    path: ["retrieval"],
    message: "must leave 8 columns to rows' words, and 8 of the prompt's tokens to the question",
  });
