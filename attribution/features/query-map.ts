import { attributionError } from "../attribution-errors.ts";
import { renumberColumns } from "../maths/sparse-rows.ts";
import { applyGradientMap, type GradientMap } from "./gradient-map.ts";
import { paddedQuery, type QuantisedQuery } from "./quantise.ts";
import type { Sensitivities } from "./sensitivities.ts";

/**
 * What turns a model's sensitivities into queries: the gradient map and, for each layer, which of its inputs the map
 * uses (ascending; the others are 0 in all training rows). Published with the model: whoever has it needs no rows.
 */
export interface QueryMap {
  readonly usedInputs: readonly Int32Array[];
  readonly linear: GradientMap;
}

/** Real-valued features of each row of `of`, as the model gives it: rowCount × featureCount. */
export function mapFeatures(map: QueryMap, of: Sensitivities): Float64Array {
  const layers = of.layers.map((layer, l) => {
    const position = new Int32Array(layer.inputs.columnCount).fill(-1);
    for (const [place, input] of map.usedInputs[l]!.entries()) position[input] = place;
    return { ...layer, inputs: renumberColumns(layer.inputs, position, map.usedInputs[l]!.length) };
  });
  return applyGradientMap(map.linear, { ...of, layers });
}

/** The query of each row of `of`. @param rest as `paddedQuery` takes it */
export function mapQueries(
  map: QueryMap,
  of: Sensitivities,
  columnCount: number,
  rest: number,
): QuantisedQuery[] {
  const { featureCount } = map.linear;
  const features = mapFeatures(map, of);
  return Array.from({ length: of.rowCount }, (_, i) =>
    paddedQuery(features.subarray(i * featureCount, (i + 1) * featureCount), columnCount, rest),
  );
}

/**
 * Little-endian: uint32 layer count, feature count, direction count; per layer uint32 used inputs, outputs, input
 * directions; then per layer the used inputs (int32), output directions, input directions (doubles); then per
 * direction layer, output, input (uint32); then the matrix (doubles).
 */
export function encodeQueryMap({ usedInputs, linear }: QueryMap): Uint8Array {
  const { layers, directions, matrix, featureCount } = linear;
  const parts: (Uint32Array | Int32Array | Float64Array)[] = [
    Uint32Array.of(layers.length, featureCount, directions.length),
    Uint32Array.from(layers.flatMap((layer) => [layer.inputCount, layer.outputCount, vectorCount(layer)])),
    ...layers.flatMap((layer, l) => [usedInputs[l]!, layer.outputs, layer.inputs]),
    Uint32Array.from(directions.flatMap(({ layer, output, input }) => [layer, output, input])),
    matrix,
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    for (const value of part) {
      if (part instanceof Float64Array) view.setFloat64(at, value, true);
      else view.setUint32(at, value, true);
      at += part.BYTES_PER_ELEMENT;
    }
  }
  return bytes;
}

/** @throws ATT_MODEL_FILE_INVALID where the bytes are no query map, or speak of inputs that they do not have */
export function decodeQueryMap(bytes: Uint8Array): QueryMap {
  const reader = new Reader(bytes);
  const [layerCount, featureCount, directionCount] = reader.integers(3) as unknown as [
    number,
    number,
    number,
  ];
  const sizes = Array.from({ length: layerCount }, () => [...reader.integers(3)] as [number, number, number]);
  const usedInputs: Int32Array[] = [];
  const layers = sizes.map(([inputCount, outputCount, vectors]) => {
    usedInputs.push(Int32Array.from(reader.integers(inputCount)));
    const outputs = reader.doubles(outputCount * outputCount);
    return { inputCount, outputCount, outputs, inputs: reader.doubles(vectors * inputCount) };
  });
  const directions = Array.from({ length: directionCount }, () => {
    const [layer, output, input] = [...reader.integers(3)] as [number, number, number];
    const size = sizes[layer];
    if (size === undefined || output >= size[1] || input >= size[2])
      throw broken("a direction does not exist");
    return { layer, output, input };
  });
  const matrix = reader.doubles(featureCount * directionCount);
  reader.end();
  for (const used of usedInputs) {
    if (used.some((input, k) => input < 0 || (k > 0 && input <= used[k - 1]!))) {
      throw broken("its inputs are not ascending");
    }
  }
  return { usedInputs, linear: { featureCount, layers, directions, matrix } };
}

const vectorCount = (layer: GradientMap["layers"][number]) => layer.inputs.length / layer.inputCount;

function broken(why: string) {
  return attributionError("ATT_MODEL_FILE_INVALID", `the query map is not as documented: ${why}`, {
    data: { file: "query-map.bin", why },
  });
}

class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  integers(count: number): Uint32Array {
    this.#need(4 * count);
    return Uint32Array.from({ length: count }, () => {
      this.#at += 4;
      return this.#view.getUint32(this.#at - 4, true);
    });
  }

  doubles(count: number): Float64Array {
    this.#need(8 * count);
    return Float64Array.from({ length: count }, () => {
      this.#at += 8;
      return this.#view.getFloat64(this.#at - 8, true);
    });
  }

  end(): void {
    if (this.#at !== this.#view.byteLength) throw broken("bytes are left over");
  }

  /** Before anything is allocated: counts come from the file. */
  #need(byteCount: number): void {
    if (this.#at + byteCount > this.#view.byteLength) throw broken("it ends too early");
  }
}
