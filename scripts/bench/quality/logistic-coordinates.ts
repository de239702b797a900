/**
 * Coordinates of logistic models for the benchmark of attribution quality: turns parameters into contrasts of classes and back.
 */
import { contrastBasis } from "@openledger/attribution/features/sensitivities";

/**
 * Maps the parameters of a logistic model (input after input, one a class) to the coordinates of its aligned
 * sensitivities and back. The coordinates go input after input, one a contrast of classes, without unused inputs. What
 * they leave out, unused inputs and a shift of all logits, is 0 in every gradient.
 */
export interface LogisticCoordinates {
  readonly size: number;
  fromParameters(parameters: Float64Array): Float64Array;
  /** Overwrites `parameters`. */
  toParameters(coordinates: Float64Array, parameters: Float64Array): void;
}

/** @param position of each input with its bias, as `usedColumns` gives it; −1 for an unused one */
export function logisticCoordinates(position: Int32Array, classCount: number): LogisticCoordinates {
  const basis = contrastBasis(classCount);
  const width = classCount - 1;
  const size = width * position.reduce((count, at) => count + (at < 0 ? 0 : 1), 0);
  return {
    size,
    fromParameters(parameters) {
      const coordinates = new Float64Array(size);
      for (const [input, at] of position.entries()) {
        if (at < 0) continue;
        for (let b = 0; b < width; b++) {
          let sum = 0;
          for (let c = 0; c < classCount; c++) {
            sum += basis[b * classCount + c]! * parameters[input * classCount + c]!;
          }
          coordinates[at * width + b] = sum;
        }
      }
      return coordinates;
    },
    toParameters(coordinates, parameters) {
      parameters.fill(0);
      for (const [input, at] of position.entries()) {
        if (at < 0) continue;
        for (let b = 0; b < width; b++) {
          for (let c = 0; c < classCount; c++) {
            const k = input * classCount + c;
            parameters[k] = parameters[k]! + basis[b * classCount + c]! * coordinates[at * width + b]!;
          }
        }
      }
    },
  };
}
