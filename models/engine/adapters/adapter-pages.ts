/**
 * Pages of adapters: eight ranks of A (inputs × 8) and B (8 × outputs) for every target, as 32-bit floats. flat-adapter.ts
 * compiles an adapter to pages, the pool holds them in memory, and a pass of a batch multiplies page by page, whatever the
 * adapters' ranks.
 */
import {
  type AdapterLayout,
  type AdapterPart,
  type AdapterSettings,
  adapterLayout,
} from "../architecture/adapter-layout.ts";
import type { ModelShape } from "../architecture/model-shape.ts";
import type { Place } from "../kernels/kernels.ts";

/** Ranks of a page: the maximum that one entry of `Kernels.applyAdapters` takes. */
export const RANKS_PER_PAGE = 8;

type PagePart = Pick<AdapterPart, "a" | "b" | "firstOutput" | "inputs" | "layer" | "linear" | "outputs"> & {
  /** Offset of DoRA's changes of the part, counted from the start of all of them. */
  readonly change: Place;
};

/** One page has eight ranks of all parts of an adapter; numbers are counted from its start. */
export interface PageLayout {
  readonly pageNumbers: number;
  /** Floats of DoRA's changes, which lie behind the pages. */
  readonly changeCount: number;
  readonly parts: readonly PagePart[];
}

/** @throws RollupError MOD_FILE_INVALID for a target that the model does not have */
export function pageLayout(shape: ModelShape, targets: AdapterSettings["targets"]): PageLayout {
  const { floatCount, parts } = adapterLayout(shape, { rank: RANKS_PER_PAGE, alpha: 1, targets });
  let changeCount = 0;
  const placed = parts.map((part) => {
    const change = changeCount;
    changeCount += part.outputs;
    return { ...part, change };
  });
  return { pageNumbers: floatCount, changeCount, parts: placed };
}

/** Number of pages of an adapter of this rank. */
export const pagesOfRank = (rank: number): number => Math.ceil(rank / RANKS_PER_PAGE);

/** An adapter's numbers as pages; ranks that the last page lacks are 0. */
export function toPages(shape: ModelShape, from: AdapterLayout, numbers: Float32Array): Float32Array {
  const { rank } = from;
  const { pageNumbers, parts } = pageLayout(shape, from.settings.targets);
  const pages = new Float32Array(pagesOfRank(rank) * pageNumbers);
  for (const [i, { a, b, inputs, outputs }] of parts.entries()) {
    const source = from.parts[i]!;
    for (let j = 0; j < rank; j++) {
      const page = Math.floor(j / RANKS_PER_PAGE) * pageNumbers;
      const own = j % RANKS_PER_PAGE;
      for (let k = 0; k < inputs; k++)
        pages[page + a + k * RANKS_PER_PAGE + own] = numbers[source.a + k * rank + j]!;
      const row = numbers.subarray(source.b + j * outputs, source.b + (j + 1) * outputs);
      pages.set(row, page + b + own * outputs);
    }
  }
  return pages;
}

/** DoRA's changes of an adapter, part by part. */
export function toChanges(shape: ModelShape, from: AdapterLayout, numbers: Float32Array): Float32Array {
  const { changeCount, parts } = pageLayout(shape, from.settings.targets);
  const changes = new Float32Array(changeCount);
  for (const [i, { change, outputs }] of parts.entries()) {
    const source = from.parts[i]!.change;
    changes.set(numbers.subarray(source, source + outputs), change);
  }
  return changes;
}

/** The inverse of `toPages`, in the layout of `adapterLayout`. */
export function fromPages(shape: ModelShape, settings: AdapterSettings, pages: Float32Array): Float32Array {
  const to = adapterLayout(shape, settings);
  const { rank } = to;
  const { pageNumbers, parts } = pageLayout(shape, settings.targets);
  const numbers = new Float32Array(to.floatCount);
  for (const [i, { a, b, inputs, outputs }] of parts.entries()) {
    const target = to.parts[i]!;
    for (let j = 0; j < rank; j++) {
      const page = Math.floor(j / RANKS_PER_PAGE) * pageNumbers;
      const own = j % RANKS_PER_PAGE;
      for (let k = 0; k < inputs; k++)
        numbers[target.a + k * rank + j] = pages[page + a + k * RANKS_PER_PAGE + own]!;
      const row = pages.subarray(page + b + own * outputs, page + b + (own + 1) * outputs);
      numbers.set(row, target.b + j * outputs);
    }
  }
  return numbers;
}
