/** Influence under weights of labels and of rows: both ways to solve agree, and both say what a heavier row does. */
import { expect, it } from "vitest";
import { rowInfluence } from "../../features/direct-rows.ts";
import { gaussNewton, writeGradients } from "../../features/exact-influence.ts";
import { labelInfluence } from "../../features/label-influence.ts";
import { contrastBasis } from "../../features/sensitivities.ts";
import { choleskyInPlace, solveCholesky } from "../../maths/dense-matrix.ts";
import { SeededRandom } from "../../maths/seeded-random.ts";
import { sparseRows } from "../../maths/sparse-rows.ts";
import { logisticModel } from "./logistic-model.ts";

const LABELS = 3;
const INPUTS = 6;
const ROWS = 30;
const DECAY = 0.02;
const WEIGHTS = [0.6, 1.4, 3.2];

const random = new SeededRandom("weighted influence");
const labels = Int32Array.from({ length: ROWS }, (_, i) => (i < 20 ? 0 : i < 27 ? 1 : 2));
const inputs = sparseRows(
  INPUTS,
  Array.from(labels, (label) =>
    Array.from({ length: INPUTS }, (_, j): [number, number] => [
      j,
      random.nextBelow(1_000) / 1_000 + (j === label ? 0.7 : 0),
    ]),
  ),
);
const examples = { inputs, labels };
const modelOf = (labelWeights?: readonly number[]) =>
  logisticModel({ inputCount: INPUTS, classCount: LABELS, decay: DECAY, tolerance: 1e-11, labelWeights });

it("is the same by blocks and by the whole Hessian", () => {
  const model = modelOf(WEIGHTS);
  const rows = model.sensitivities(model.train(examples), examples);
  expect([...rows.weights]).toEqual(Array.from(labels, (label) => WEIGHTS[label]));
  const byBlocks = labelInfluence(rows, DECAY);
  const width = INPUTS + 1;
  const size = width * (LABELS - 1);
  const factor = gaussNewton(rows, DECAY);
  choleskyInPlace(factor, size);
  const solved = writeGradients(rows, size);
  solveCholesky(factor, size, solved, ROWS);
  const basis = contrastBasis(LABELS);
  let largest = 0;
  let difference = 0;
  for (let label = 0; label < LABELS; label++)
    for (let k = 0; k < ROWS; k++)
      for (let input = 0; input < width; input++) {
        let whole = 0;
        for (let b = 0; b < LABELS - 1; b++)
          whole += basis[b * LABELS + label]! * solved[k * size + input * (LABELS - 1) + b]!;
        largest = Math.max(largest, Math.abs(whole));
        difference = Math.max(difference, Math.abs(whole - byBlocks[(label * ROWS + k) * width + input]!));
      }
  expect(largest).toBeGreaterThan(0.1);
  expect(difference).toBeLessThan(1e-10 * largest);
});

/** Weights of rows beside those of labels. */
const ROW_WEIGHTS = Float64Array.from({ length: ROWS }, (_, i) => 0.2 + 0.4 * (i % 5));

it.each([
  ["labels", undefined],
  ["labels and rows", ROW_WEIGHTS],
] as const)("is what the parameters do where a row weighs more, by weights of %s", (_, weights) => {
  const model = modelOf(WEIGHTS);
  const weighed = { ...examples, weights };
  const parameters = model.train(weighed);
  const weightOf = (i: number) => WEIGHTS[labels[i]!]! * (weights?.[i] ?? 1);
  const influence = rowInfluence(model.sensitivities(parameters, weighed), {
    damping: DECAY,
    featureCount: INPUTS + 1,
    scales: new Float64Array(INPUTS).fill(1),
  });
  for (const row of [3, 22, 29]) {
    const step = 1e-3;
    const [heavier, lighter] = [step, -step].map((more) =>
      minimiseWeighed(Array.from(labels, (__, i) => weightOf(i) * (i === row ? 1 + more : 1))),
    );
    let [product, ours, theirs] = [0, 0, 0];
    for (let label = 0; label < LABELS; label++)
      for (let input = 0; input <= INPUTS; input++) {
        const at = input * LABELS + label;
        // θ moves by −(H + λ)⁻¹ g / N for a unit of weight.
        const moved = (-(heavier![at]! - lighter![at]!) / (2 * step)) * ROWS;
        const said = influence.values[(label * ROWS + row) * (INPUTS + 1) + input]!;
        product += moved * said;
        ours += said * said;
        theirs += moved * moved;
      }
    expect(product / Math.sqrt(ours * theirs)).toBeGreaterThan(0.999_99);
    expect(Math.sqrt(theirs / ours)).toBeCloseTo(1, 3);
  }
});

/** Newton steps on the weighed loss, written anew: the reference of the model's own training. */
function minimiseWeighed(weights: readonly number[]): Float64Array {
  const width = INPUTS + 1;
  const size = width * LABELS;
  const theta = new Float64Array(size);
  const rowOf = (i: number) => [...inputs.values.subarray(inputs.starts[i]!, inputs.starts[i + 1]!), 1];
  for (let step = 0; step < 30; step++) {
    const gradient = theta.map((value) => DECAY * value);
    const hessian = new Float64Array(size * size);
    for (let k = 0; k < size; k++) hessian[k * size + k] = DECAY;
    for (let i = 0; i < ROWS; i++) {
      const x = rowOf(i);
      const logits = Array.from({ length: LABELS }, (_, c) =>
        x.reduce((sum, value, j) => sum + value * theta[j * LABELS + c]!, 0),
      );
      const most = Math.max(...logits);
      const raw = logits.map((logit) => Math.exp(logit - most));
      const total = raw.reduce((sum, one) => sum + one, 0);
      const p = raw.map((one) => one / total);
      const w = weights[i]! / ROWS;
      for (let c = 0; c < LABELS; c++)
        for (const [j, value] of x.entries()) {
          const at = j * LABELS + c;
          gradient[at] = gradient[at]! + w * value * (p[c]! - (labels[i] === c ? 1 : 0));
          for (let d = 0; d < LABELS; d++)
            for (const [l, other] of x.entries()) {
              const to = at * size + l * LABELS + d;
              hessian[to] = hessian[to]! + w * value * other * p[c]! * ((c === d ? 1 : 0) - p[d]!);
            }
        }
    }
    choleskyInPlace(hessian, size);
    solveCholesky(hessian, size, gradient, 1);
    for (let k = 0; k < size; k++) theta[k] = theta[k]! - gradient[k]!;
  }
  return theta;
}

it("trains the same bytes where all labels weigh 1", () => {
  expect(modelOf([1, 1, 1]).train(examples)).toEqual(modelOf().train(examples));
  const [weighed, plain] = [modelOf(WEIGHTS), modelOf()].map((model) => model.train(examples));
  expect(weighed).not.toEqual(plain);
  // The minimum is that of Newton steps on the same loss.
  const newton = minimiseWeighed(Array.from(labels, (label) => WEIGHTS[label]!));
  for (const [k, value] of weighed!.entries()) expect(value).toBeCloseTo(newton[k]!, 6);
});
