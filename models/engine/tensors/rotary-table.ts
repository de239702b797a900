/**
 * Rotary position embeddings (Su et al. 2021) as a table of cosines and sines, with Llama 3's scaling. Angles are in radians;
 * the bits are the same on every machine.
 */
import { exactExp, exactLog } from "@openledger/attribution/maths/exact-math";
import { exactAngle } from "./exact-angles.ts";

/** Llama 3's stretched positions: slow turns are slowed by `factor`, those between two wavelengths in part. */
export interface RotaryScaling {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalPositions: number;
}

/** positions × headSize: of each position headSize / 2 cosines, then as many sines. */
export function rotaryTable(
  positions: number,
  headSize: number,
  theta: number,
  scaling: RotaryScaling | null,
): Float32Array {
  const half = headSize / 2;
  const table = new Float32Array(positions * headSize);
  for (const [i, plain] of plainFrequencies(headSize, theta).entries()) {
    const frequency = scaling === null ? plain : stretched(plain, scaling);
    for (let t = 0; t < positions; t++) {
      const [cosine, sine] = exactAngle(t * frequency);
      table[t * headSize + i] = cosine;
      table[t * headSize + half + i] = sine;
    }
  }
  return table;
}

function plainFrequencies(headSize: number, theta: number): number[] {
  const half = headSize / 2;
  const logTheta = exactLog(theta);
  return Array.from({ length: half }, (_, i) => exactExp((-logTheta * i) / half));
}

/** Factors by which a scaling slows the turns: 1 for those that stay. */
export function rotaryStretch(headSize: number, theta: number, scaling: RotaryScaling | null): number[] {
  return plainFrequencies(headSize, theta).map((plain) =>
    scaling === null ? 1 : plain / stretched(plain, scaling),
  );
}

function stretched(frequency: number, scaling: RotaryScaling): number {
  const { factor, highFrequencyFactor, lowFrequencyFactor, originalPositions } = scaling;
  const turns = (originalPositions * frequency) / (2 * Math.PI);
  if (turns < lowFrequencyFactor) return frequency / factor;
  if (turns > highFrequencyFactor) return frequency;
  const part = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return ((1 - part) * frequency) / factor + part * frequency;
}
