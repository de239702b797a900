/** Tests of logistic-model.ts and of its minimiser lbfgs.ts. */
import { describe, expect, it } from "vitest";
import { gaussNewton, writeGradients } from "../features/exact-influence.ts";
import { contrastBasis, coordinateCount } from "../features/sensitivities.ts";
import { minimise } from "../maths/lbfgs.ts";
import { pickRows } from "../testing/labelled-rows.ts";
import { tinyRows } from "../testing/tiny-problem.ts";
import { logisticModel } from "./direct/logistic-model.ts";
import type { Examples, Model } from "./model.ts";

const DECAY = 0.05;
const rows = tinyRows(40, "models");
const logistic = logisticModel({ inputCount: 5, classCount: 3, decay: DECAY });

/** Derivative of one row's loss along one parameter, by central differences. */
function slope(model: Model, parameters: Float64Array, row: Examples, k: number): number {
  const STEP = 1e-6;
  const at = (delta: number) => {
    const moved = parameters.slice();
    moved[k] = moved[k]! + delta;
    return model.losses(moved, row)[0]!;
  };
  return (at(STEP) - at(-STEP)) / (2 * STEP);
}

/** A row's gradient over all parameters, put together from its sensitivities, contrasts undone. */
function fullGradient(model: Model, parameters: Float64Array, row: Examples): number[] {
  const { inputs, residuals } = model.sensitivities(parameters, row);
  const basis = contrastBasis(3);
  const outputs = [0, 1, 2].map((c) => residuals.reduce((sum, r, b) => sum + r * basis[b * 3 + c]!, 0));
  const dense = new Float64Array(inputs.columnCount);
  for (let e = inputs.starts[0]!; e < inputs.starts[1]!; e++) dense[inputs.columns[e]!] = inputs.values[e]!;
  return [...dense].flatMap((x) => outputs.map((r) => r * x));
}

describe("logisticModel", () => {
  const model = logistic;
  const parameters = model.train(rows);

  it("has the gradients that finite differences give", () => {
    for (const i of [0, 7, 21]) {
      const picked = pickRows(rows, [i]);
      const row = { inputs: picked.features, labels: picked.labels };
      const gradient = fullGradient(model, parameters, row);
      expect(gradient).toHaveLength(model.parameterCount);
      for (const [k, value] of gradient.entries()) {
        expect(slope(model, parameters, row, k), `row ${i}, parameter ${k}`).toBeCloseTo(value, 7);
      }
    }
  });

  it("learns the rows and gives the same bits again", () => {
    const lossesOf = [0, 1, 2].map((label) =>
      model.losses(parameters, { ...rows, labels: new Int32Array(40).fill(label) }),
    );
    const right = rows.labels.filter((label, i) =>
      lossesOf.every((losses) => lossesOf[label]![i]! <= losses[i]!),
    );
    expect(right.length / 40).toBeGreaterThan(0.85);
    expect(model.train(rows)).toEqual(parameters);
  });

  it("gives other parameters without one row", () => {
    const without = Int32Array.from(rows.labels.keys()).filter((i) => i !== 3);
    expect(model.train(rows, { indices: without })).not.toEqual(parameters);
  });
});

describe("the optimum of a logistic model", () => {
  it("ends where the gradient of the mean loss with decay is zero", () => {
    const parameters = logistic.train(rows);
    const objective = (x: Float64Array) =>
      logistic.losses(x, rows).reduce((sum, loss) => sum + loss, 0) / 40 +
      (DECAY / 2) * x.reduce((sum, v) => sum + v * v, 0);
    for (let k = 0; k < parameters.length; k++) {
      const up = parameters.slice();
      const down = parameters.slice();
      up[k] = up[k]! + 1e-5;
      down[k] = down[k]! - 1e-5;
      expect((objective(up) - objective(down)) / 2e-5).toBeCloseTo(0, 6);
    }
  });

  it("has the Hessian that differences of gradients give", () => {
    const parameters = logistic.train(rows);
    const s = logistic.sensitivities(parameters, rows);
    const size = coordinateCount(s);
    const matrix = gaussNewton(s, 0);
    const basis = contrastBasis(3);
    const meanGradient = (x: Float64Array) => {
      const gradients = writeGradients(logistic.sensitivities(x, rows), size);
      return Float64Array.from({ length: size }, (_, k) => {
        let sum = 0;
        for (let i = 0; i < 40; i++) sum += gradients[i * size + k]! / 40;
        return sum;
      });
    };
    for (const column of [0, 3, 9]) {
      const moved = [1e-6, -1e-6].map((delta) => {
        const x = parameters.slice();
        const [input, contrast] = [Math.floor(column / 2), column % 2];
        for (let c = 0; c < 3; c++) x[input * 3 + c] = x[input * 3 + c]! + delta * basis[contrast * 3 + c]!;
        return meanGradient(x);
      });
      for (let row = column; row < size; row++) {
        const difference = (moved[0]![row]! - moved[1]![row]!) / 2e-6;
        expect(matrix[row * size + column]).toBeCloseTo(difference, 7);
      }
    }
  });
});

describe("minimise", () => {
  it("finds the lowest point of a narrow valley", () => {
    const valley = (x: Float64Array, gradient: Float64Array) => {
      const a = 1 - x[0]!;
      const b = x[1]! - x[0]! * x[0]!;
      gradient[0] = -2 * a - 400 * x[0]! * b;
      gradient[1] = 200 * b;
      return a * a + 100 * b * b;
    };
    const { x } = minimise(valley, Float64Array.of(-1.2, 1), { maxIterations: 200, tolerance: 1e-9 });
    expect(x[0]).toBeCloseTo(1, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });
});
