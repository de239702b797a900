/** Held-out accuracy on pictures of shapes at any place, of any size and rotation: by numbers, by today's grid, and by pixels. */
import { expect, it } from "vitest";
import { type SparseRows, selectRows, sparseFromDense } from "../maths/sparse-rows.ts";
import { logisticModel } from "../model/direct/logistic-model.ts";
import { foldsByLabel } from "../model/folds.ts";
import { gridOf } from "../pictures/picture-grid.ts";
import { openPictures } from "../pictures/pictures.ts";
import { contentOf } from "../rows/row-content.ts";
import { madePictures, PICTURE_CLASSES } from "../testing/made-pictures.ts";
import { imageCandidates } from "./choose-inputs.ts";
import { countedRows } from "./counted-rows.ts";
import type { ImageInputs } from "./model-inputs.ts";
import { openInputs } from "./open-inputs.ts";

const ROOM = { bucketCount: 1_024, baseBuckets: 40 };
const FOLDS = 5;
/** Penalty of the preset for few pictures, and of pixels one that others are no better than. */
const PENALTIES = { counts: 0.003, pixels: 0.001 } as const;
const PIXEL_SIDE = 14;

it("is above nine tenths by numbers, where the grid and pixels have less than a third", async () => {
  const rows = madePictures(240, "bench");
  const labels = rows.map(({ label }) => label);
  const contents = rows.map(({ input }) => contentOf("image", input));
  const classCount = PICTURE_CLASSES.length;
  const { folds } = foldsByLabel(labels.map(String), FOLDS, "quality");
  const parts = Array.from({ length: FOLDS }, (_, fold) => ({
    train: [...labels.keys()].filter((row) => folds[row] !== fold),
    test: [...labels.keys()].filter((row) => folds[row] === fold),
  }));
  /** Test rows whose label the model of the others says. */
  const countRight = (inputs: SparseRows, { test, train }: (typeof parts)[number], decay: number) => {
    const model = logisticModel({ inputCount: inputs.columnCount, classCount, decay, tolerance: 1e-3 });
    const parameters = model.train({
      inputs: selectRows(inputs, train),
      labels: Int32Array.from(train, (row) => labels[row]!),
    });
    const asked = selectRows(inputs, test);
    const losses = PICTURE_CLASSES.map((_, label) =>
      model.losses(parameters, { inputs: asked, labels: new Int32Array(test.length).fill(label) }),
    );
    return test.filter((row, k) => losses.every((of) => of[k]! >= losses[labels[row]!]![k]!)).length;
  };
  const read = await openPictures();
  const pixels = contents.flatMap((content) => {
    const { sums, whole } = gridOf(read(content), PIXEL_SIDE, 3);
    return Array.from(sums, (sum) => sum / whole);
  });
  const dense = sparseFromDense(Float64Array.from(pixels), rows.length, 3 * PIXEL_SIDE ** 2);
  // Knots are by all rows, without their labels: a choice by a fold's own rows is within a point of it.
  const candidates = await imageCandidates(contents, ROOM);
  const countedBy = async (inputs: ImageInputs) => {
    const counter = await openInputs(inputs, ROOM);
    return countedRows(
      counter,
      contents.map((content) => counter.countsOf(counter.promptOf(content))),
    );
  };
  const [grid, numbers] = [await countedBy(candidates[0]!), await countedBy(candidates[1]!)];
  const right = { grid: 0, numbers: 0, pixels: 0 };
  for (const part of parts) {
    right.grid += countRight(grid, part, PENALTIES.counts);
    right.numbers += countRight(numbers, part, PENALTIES.counts);
    right.pixels += countRight(dense, part, PENALTIES.pixels);
  }
  expect(right.numbers / rows.length).toBeGreaterThanOrEqual(0.9);
  expect(right.grid / rows.length).toBeLessThanOrEqual(0.33);
  expect(right.pixels / rows.length).toBeLessThanOrEqual(0.33);
});
