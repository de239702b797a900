import { MAX_FEATURE_COUNT } from "@openledger/attribution/features/quantise";
import { z } from "zod";

const positive = z.number().positive().max(1e6);
/** A power of two, 16 at least. */
const featureCount = z
  .number()
  .int()
  .min(16)
  .max(MAX_FEATURE_COUNT)
  .refine((count) => Number.isInteger(Math.log2(count)), "must be a power of two");

/**
 * How rows' gradients become features: what a text model's recipe chooses. Each is symmetric and linear in a query's
 * gradient: the score of row i is gᵢ M g for one fixed matrix M. `mapTextsBy` computes them.
 */
export const textMethodSchema = z.discriminatedUnion("kind", [
  /** M = (Σ g gᵀ + ridge)⁻¹ over the rows (Koh and Liang 2017), the empirical Fisher matrix in place of the Hessian. */
  z.strictObject({
    kind: z.literal("influence"),
    /** What a coordinate is divided by: nothing, or its root mean square over the rows. */
    scaling: z.enum(["none", "rms"]),
    /** In units of the mean squared length of a row. */
    ridge: positive,
    featureCount,
  }),
  /** M = 1: TracIn with one point of the run for each model (arXiv 2002.08484). */
  z.strictObject({ kind: z.literal("grad-dot"), featureCount }),
  /** M = the mean over k of (λ + g_k g_kᵀ)⁻¹, for each matrix of the adapter (arXiv 2310.00902). */
  z.strictObject({
    kind: z.literal("data-inf"),
    /** λ, in units of the mean square of the matrix' gradients; the paper takes 0.1. */
    damping: positive,
    featureCount,
  }),
  /** Sketched gradients of log(p / (1 − p)) and their Gram matrix (arXiv 2303.14186); p is e to the −loss of a row. */
  z.strictObject({
    kind: z.literal("trak"),
    sketchCount: z.number().int().min(16).max(65_536),
    /** In units of the mean squared length of a row; the paper has none. */
    ridge: positive,
    featureCount,
  }),
  /**
   * M = (λ + damping)^−power in the Kronecker-factored eigenbasis of each matrix of the adapter, where λ are the mean
   * squares of the rows' gradients in that basis: EK-FAC (arXiv 1806.03884, 2308.03296) with power 1. The bases are of
   * the sums of G Gᵀ and Gᵀ G over the rows' gradients G, as Shampoo takes them (arXiv 1802.09568). With power ½ it is
   * the step that an Adam in this basis makes (SOAP, arXiv 2409.11321).
   */
  z.strictObject({
    kind: z.literal("ek-fac"),
    power: z.union([z.literal(0.5), z.literal(1)]),
    /** In units of the mean of all λ. */
    damping: z.number().min(0).max(1e6),
    featureCount,
  }),
]);

export type TextMethod = z.infer<typeof textMethodSchema>;
