/**
 * LoRA adapters (Hu et al. 2021) in an arena: which linear maps an adapter adds to, and where its matrices A and B lie. Targets
 * have the names of PEFT. Training, tuned models and the answer server place adapters by this layout; sizes are counts of
 * floats.
 */
import { modelError } from "../../model-errors.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { ArenaPlan } from "../tensors/arena-plan.ts";
import {
  type AdapterTarget,
  type ModulePatterns,
  moduleName,
  patternExpression,
  patternValue,
} from "./adapter-modules.ts";
import { type LinearName, linearSize, type ModelShape } from "./model-shape.ts";

export type { AdapterTarget };

/** LoRA: y += factor · (x A) B for each target. */
export interface AdapterSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly AdapterTarget[];
  /** The factor is alpha / √rank, as rsLoRA has it. Absent: alpha / rank. */
  readonly isRankStabilized?: true | undefined;
  /** Ranks and alphas of some modules, as PEFT names them. Absent: all modules have those above. */
  readonly rankPatterns?: ModulePatterns | undefined;
  readonly alphaPatterns?: ModulePatterns | undefined;
  /** DoRA: each output of W + factor · A B is brought to a length of its own. Such an adapter is computed, not tuned. */
  readonly isDora?: true | undefined;
}

type FactorSettings = Pick<AdapterSettings, "alpha" | "isRankStabilized" | "rank">;

export const adapterFactor = ({ alpha, isRankStabilized, rank }: FactorSettings): number =>
  alpha / (isRankStabilized === true ? Math.sqrt(rank) : rank);

/** A is inputs × rank, B is rank × outputs; B's outputs are added to the map's from `firstOutput` on. */
export interface AdapterPart {
  readonly layer: number;
  readonly target: AdapterTarget;
  readonly linear: LinearName;
  readonly firstOutput: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly a: Place;
  readonly b: Place;
  /** Rank and factor of the module in its file. Beyond this rank, A and B are 0 in the arena; B has what the factor differs by. */
  readonly ownRank: number;
  readonly ownFactor: number;
  /** DoRA: part of the base's result, without its bias, that is added to each output. NONE without DoRA. */
  readonly change: Place;
}

/** Offsets of an adapter's numbers, counted from the start of a block; its gradients have the same layout. */
export interface AdapterLayout {
  readonly settings: AdapterSettings;
  /** Largest rank of a module: that of all matrices in the arena. */
  readonly rank: number;
  readonly factor: number;
  readonly floatCount: number;
  readonly parts: readonly AdapterPart[];
}

/** Bound on ranks that files name. Published adapters have a few hundred at most. */
const MAX_RANK = 1_024;

/** @throws RollupError MOD_FILE_INVALID for a target that the model does not have, or a rank out of range */
export function adapterLayout(shape: ModelShape, settings: AdapterSettings): AdapterLayout {
  const { alpha, alphaPatterns = [], isDora, rankPatterns = [], targets } = settings;
  requireInRange(settings.rank, alpha);
  for (const [pattern] of [...rankPatterns, ...alphaPatterns])
    if (patternExpression(pattern) === null)
      throw invalid("rank_pattern", `the pattern ${pattern} is not read here`);
  if (targets.length === 0 || new Set(targets).size !== targets.length)
    throw invalid("target_modules", "no target, or one twice");
  const modules = Array.from({ length: shape.layerCount }, (_, layer) =>
    targets.map((target) => {
      const name = moduleName(shape, layer, target);
      const ownRank = patternValue(rankPatterns, name) ?? settings.rank;
      const ownAlpha = patternValue(alphaPatterns, name) ?? alpha;
      requireInRange(ownRank, ownAlpha);
      const ownFactor = adapterFactor({ ...settings, rank: ownRank, alpha: ownAlpha });
      return { layer, target, ...targetOffset(shape, target), ownRank, ownFactor };
    }),
  ).flat();
  const rank = modules.reduce((max, { ownRank }) => Math.max(max, ownRank), 1);
  const plan = new ArenaPlan();
  const parts = modules.map((module): AdapterPart => {
    const a = plan.take(module.inputs * rank);
    const b = plan.take(rank * module.outputs);
    return { ...module, a, b, change: isDora === true ? plan.take(module.outputs) : NONE };
  });
  return { settings, rank, factor: adapterFactor(settings), floatCount: plan.floatCount, parts };
}

function requireInRange(rank: number, alpha: number): void {
  if (!Number.isInteger(rank) || rank < 1 || rank > MAX_RANK || !(alpha > 0 && alpha < 1e6))
    throw invalid("r", `rank ${rank} and alpha ${alpha} are out of range`);
}

/** The matrices that an adapter, or its gradient, consists of: counted from the start of its block. */
export function adapterMatrices({ parts, rank }: AdapterLayout) {
  return parts.flatMap(({ a, b, inputs, outputs }) => [
    { at: a, rows: inputs, columns: rank },
    { at: b, rows: rank, columns: outputs },
  ]);
}

type TargetSlice = Pick<AdapterPart, "linear" | "firstOutput" | "inputs" | "outputs">;

function targetOffset(shape: ModelShape, target: AdapterTarget): TargetSlice {
  const whole = (linear: LinearName): TargetSlice => ({
    linear,
    firstOutput: 0,
    ...linearSize(shape, linear),
  });
  const { headCount, headSize, keyHeadCount, width } = shape;
  const part = (firstHead: number, heads: number): TargetSlice => ({
    linear: "qkv",
    firstOutput: firstHead * headSize,
    inputs: width,
    outputs: heads * headSize,
  });
  const offsets: Partial<Record<AdapterTarget, () => TargetSlice>> =
    shape.family === "gpt2"
      ? {
          c_attn: () => whole("qkv"),
          "attn.c_proj": () => whole("output"),
          c_fc: () => whole("up"),
          "mlp.c_proj": () => whole("down"),
        }
      : {
          q_proj: () => part(0, headCount),
          k_proj: () => part(headCount, keyHeadCount),
          v_proj: () => part(headCount + keyHeadCount, keyHeadCount),
          o_proj: () => whole("output"),
          gate_proj: () => whole("gate"),
          up_proj: () => whole("up"),
          down_proj: () => whole("down"),
        };
  const offset = Object.hasOwn(offsets, target) ? offsets[target] : undefined;
  if (offset === undefined) throw invalid("target_modules", `the model has no module ${target}`);
  return offset();
}

/** Targets that most people tune: queries and values. */
export function usualTargets(shape: ModelShape): AdapterTarget[] {
  return shape.family === "gpt2" ? ["c_attn"] : ["q_proj", "v_proj"];
}

function invalid(field: string, message: string) {
  return modelError("MOD_FILE_INVALID", `the adapter does not fit: ${message}`, {
    data: { reason: "adapter-invalid", field },
  });
}
