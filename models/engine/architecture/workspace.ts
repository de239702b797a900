/**
 * Buffers that a pass writes, planned before the arena is allocated: for each layer if the model is trained, else shared by the
 * layers. Sizes are counts of floats, rows are tokens.
 */
import { NONE, type Place, quantisedFloats } from "../kernels/kernels.ts";
import { type ArenaPlan, roundUp16 } from "../tensors/arena-plan.ts";
import type { AdapterLayout } from "./adapter-layout.ts";
import { type ModelShape, qkvWidth, type WeightNumbers } from "./model-shape.ts";

/** Buffers of one layer: rows of numbers that the pass back reads again. */
export interface LayerBuffers {
  /** The layer's input: rows × width. */
  readonly input: Place;
  readonly beforeStats: Place;
  readonly normed: Place;
  /** Queries, keys and values, turned: rows × qkvWidth. For generating they are the cache. */
  readonly qkv: Place;
  /** Queries and keys before their norms. */
  readonly rawHeads: Place;
  readonly headStats: Place;
  /** heads × rows × roundUp16(rows). */
  readonly attention: Place;
  readonly attended: Place;
  readonly middle: Place;
  readonly betweenStats: Place;
  readonly middleNormed: Place;
  readonly gate: Place;
  readonly up: Place;
  readonly inner: Place;
  /** x A of each of the layer's adapter parts, in their order: rows × rank. */
  readonly low: readonly Place[];
}

/** Buffers that a pass over up to `maxRows` tokens writes beside its results. */
export interface Workspace {
  readonly maxRows: number;
  readonly layers: readonly LayerBuffers[];
  readonly lastInput: Place;
  readonly lastStats: Place;
  readonly lastNormed: Place;
  /** logitRows × roundUp16(vocabularySize). */
  readonly logits: Place;
  readonly logitRows: number;
  readonly targets: Place;
  readonly losses: Place;
  /** The head's columns side by side, width × roundUp16(vocabularySize): for generating only, else NONE. */
  readonly flippedHead: Place;
  /** A map's rows as int8; NONE if weights are floats. */
  readonly quantised: Place;
  /** A map's results without bias and adapters, for DoRA; NONE for other adapters. */
  readonly plain: Place;
  /** rotary positions: maxRows × headSize, or NONE. */
  readonly rotary: Place;
  readonly back: BackBuffers | null;
}

export interface BackBuffers {
  readonly dx: Place;
  readonly dNormed: Place;
  readonly dWide: Place;
  readonly dQkv: Place;
  readonly dRaw: Place;
  readonly dGate: Place;
  readonly dUp: Place;
  readonly dAttention: Place;
  readonly dLow: Place;
}

interface WorkspaceOptions {
  readonly maxRows: number;
  /**
   * Buffers for the pass back. Without them layers share theirs, and only keys and values are stored for each layer.
   */
  readonly isTraining: boolean;
  readonly adapter: AdapterLayout | null;
  /** float32 if not given. */
  readonly weights?: WeightNumbers;
}

export function planWorkspace(
  plan: ArenaPlan,
  shape: ModelShape,
  { adapter, isTraining, maxRows, weights }: WorkspaceOptions,
): Workspace {
  const { headCount, headSize, innerWidth, keyHeadCount, vocabularySize, width } = shape;
  const attentionWidth = headCount * headSize;
  const heads = headCount + keyHeadCount;
  const rows = (columns: number) => plan.take(maxRows * columns);
  const layerBuffers = (): Omit<LayerBuffers, "qkv" | "low"> => ({
    input: rows(width),
    beforeStats: rows(2),
    normed: rows(width),
    rawHeads: shape.hasHeadNorms ? rows(heads * headSize) : NONE,
    headStats: shape.hasHeadNorms ? rows(2 * heads) : NONE,
    attention: plan.take(headCount * maxRows * roundUp16(maxRows)),
    attended: rows(attentionWidth),
    middle: rows(width),
    betweenStats: rows(2),
    middleNormed: rows(width),
    gate: shape.activation === "gated" ? rows(innerWidth) : NONE,
    up: rows(innerWidth),
    inner: rows(innerWidth),
  });
  const shared = isTraining ? null : layerBuffers();
  const layers = Array.from({ length: shape.layerCount }, (_, layer) => ({
    ...(shared ?? layerBuffers()),
    qkv: rows(qkvWidth(shape)),
    low: lowOffsets(plan, maxRows, adapter, layer),
  }));
  const logitRows = isTraining ? maxRows : 1;
  const wide = Math.max(width, attentionWidth);
  return {
    maxRows,
    layers,
    lastInput: shared?.input ?? rows(width),
    lastStats: rows(2),
    lastNormed: rows(width),
    logits: plan.take(logitRows * roundUp16(vocabularySize)),
    logitRows,
    quantised: weights === "int8" ? rows(widestRow(shape)) : NONE,
    plain: adapter?.settings.isDora === true ? rows(widestOutput(shape)) : NONE,
    flippedHead: isTraining || weights === "int8" ? NONE : plan.take(width * roundUp16(vocabularySize)),
    targets: rows(1),
    losses: rows(1),
    rotary: shape.positions === "learned" ? NONE : rows(headSize),
    back: isTraining
      ? {
          dx: rows(width),
          dNormed: rows(width),
          dWide: rows(wide),
          dQkv: rows(qkvWidth(shape)),
          dRaw: shape.hasHeadNorms ? rows(heads * headSize) : NONE,
          dGate: rows(innerWidth),
          dUp: rows(innerWidth),
          dAttention: plan.take(maxRows * roundUp16(maxRows)),
          dLow: rows(Math.max(1, adapter?.rank ?? 0)),
        }
      : null,
  };
}

/** Outputs of the widest linear map of a layer. */
export const widestOutput = (shape: ModelShape): number =>
  Math.max(qkvWidth(shape), shape.innerWidth, shape.width);

/** Inputs of the widest linear map of a layer. */
export const widestInput = ({ headCount, headSize, innerWidth, width }: ModelShape): number =>
  Math.max(headCount * headSize, innerWidth, width);

/** Floats of the widest row that a linear map takes as int8. */
export const widestRow = (shape: ModelShape): number => quantisedFloats(widestInput(shape));

/** The same workspace for another adapter: only what depends on its rank and targets is placed again. */
export function workspaceFor(plan: ArenaPlan, workspace: Workspace, adapter: AdapterLayout): Workspace {
  const { back, maxRows } = workspace;
  const dLow = plan.take(maxRows * adapter.rank);
  return {
    ...workspace,
    layers: workspace.layers.map((buffers, layer) => {
      return { ...buffers, low: lowOffsets(plan, maxRows, adapter, layer) };
    }),
    back: back === null ? null : { ...back, dLow },
  };
}

function lowOffsets(plan: ArenaPlan, maxRows: number, adapter: AdapterLayout | null, layer: number): Place[] {
  if (adapter === null) return [];
  const own = adapter.parts.filter((part) => part.layer === layer);
  return own.map(() => plan.take(maxRows * adapter.rank));
}
