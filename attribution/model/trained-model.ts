import { hex32 } from "../../circuits/hex.ts";
import type { Earner, EarnerOwners } from "../../circuits/ledger/rewards.ts";
import { hashRow, versionRowsRoot } from "../../circuits/ledger/version-rows.ts";
import { attributionError } from "../attribution-errors.ts";
import { alignColumns } from "../features/exact-influence.ts";
import { featureMap } from "../features/feature-map.ts";
import { type QuantisedFeatures, quantiseFeatures } from "../features/quantise.ts";
import { mapFeatures, type QueryMap } from "../features/query-map.ts";
import { usedColumns } from "../maths/sparse-rows.ts";
import type { OnProgress } from "../progress.ts";
import { hashContents, refuseDuplicates } from "../rows/labelled-rows.ts";
import { PIXEL_COUNT } from "../rows/mnist-digits.ts";
import { nearDuplicates } from "../rows/near-duplicates.ts";
import { decodeRow, inputRows, labelsOf } from "../rows/row-content.ts";
import { clipRowNorms, shareNearDuplicates } from "../rows/row-rules.ts";
import { logisticModel } from "./logistic-model.ts";
import { mlpModel } from "./mlp-model.ts";
import { accuracy, type Examples, type Model } from "./model.ts";
import { parseRecipe, type Recipe } from "./recipe.ts";

/** A row of the version, with the earner it earns for. */
export interface OwnedRow extends EarnerOwners {
  readonly content: Uint8Array;
}

/** What a recipe makes of the rows of a version: all that is published and registered comes from here. */
export interface TrainedModel {
  readonly recipe: Recipe;
  /** In the version's order. */
  readonly rows: readonly OwnedRow[];
  readonly earners: readonly Earner[];
  readonly parameters: Float64Array;
  readonly map: QueryMap;
  /** G: rows × columnCount. */
  readonly features: QuantisedFeatures;
  /** Part of the rows that the model itself labels as their contributors did. */
  readonly accuracy: number;
}

/**
 * Trains the recipe's model on the version's rows and computes G. Deterministic to the byte.
 * Needs `initPoseidon`: the rows are compared with the root that the recipe names.
 * @throws ATT_ROWS_MISMATCH, ATT_ROW_INVALID, ATT_DUPLICATE_ROW, ATT_RECIPE_INVALID
 */
export function trainModel(
  rows: readonly OwnedRow[],
  unchecked: Recipe,
  options: { onProgress?: OnProgress } = {},
): TrainedModel {
  const recipe = parseRecipe(unchecked);
  const earners = earnerTable(rows);
  checkRowsRoot(rows, recipe);
  const examples = decodeRows(rows, recipe);
  const model = modelOf(recipe);
  const parameters = model.train(examples, options);
  const map = fitQueryMap(model, parameters, examples, recipe, options);
  return {
    recipe,
    rows,
    earners,
    parameters,
    map,
    features: rowFeatures(model, parameters, map, examples, recipe),
    accuracy: accuracy(model, parameters, examples),
  };
}

/** The recipe's model, untrained. */
export function modelOf({ model, inputs, seed }: Recipe): Model {
  const common = {
    inputCount: inputs.kind === "email" ? inputs.bucketCount : inputs.side ** 2,
    classCount: labelsOf(inputs.kind).length,
  };
  return model.kind === "logistic"
    ? logisticModel({ ...common, decay: model.decay, tolerance: model.tolerance })
    : mlpModel({ ...common, ...model, sgd: { ...model, seed } });
}

/** Rows as the model takes them, and their inputs as bytes: text as UTF-8, or pixels. */
export interface DecodedRows extends Examples {
  readonly contents: readonly Uint8Array[];
}

/** @throws ATT_ROW_INVALID naming the first row that is none, ATT_DUPLICATE_ROW */
export function decodeRows(rows: readonly Pick<OwnedRow, "content">[], { inputs }: Recipe): DecodedRows {
  const decoded = rows.map(({ content }, index) => {
    try {
      return decodeRow(inputs.kind, content);
    } catch (cause) {
      throw attributionError("ATT_ROW_INVALID", `row ${index} is ${(cause as Error).message}`, {
        data: { index },
        cause,
      });
    }
  });
  refuseDuplicates(rows.map(({ content }) => content));
  return {
    inputs: inputRows(
      inputs,
      decoded.map(({ input }) => input),
    ),
    labels: Int32Array.from(decoded, ({ label }) => label),
    contents: decoded.map(({ input }) => Buffer.from(input, inputs.kind === "email" ? "utf8" : "base64")),
  };
}

/** G from trained parameters and the map, without training: what the rules make of the rows' features, as int8. */
export function rowFeatures(
  model: Model,
  parameters: Float64Array,
  map: QueryMap,
  rows: DecodedRows,
  recipe: Recipe,
): QuantisedFeatures {
  const { featureCount } = recipe.method;
  const { rules, columnCount } = recipe;
  let features = mapFeatures(map, model.sensitivities(parameters, rows));
  if (rules.nearDuplicatesShare) {
    features = shareNearDuplicates(features, featureCount, nearDuplicates(comparable(rows, recipe)));
  }
  if (rules.normQuantile < 1) features = clipRowNorms(features, featureCount, rules.normQuantile);
  return padColumns(quantiseFeatures(features, rows.labels.length, featureCount), columnCount);
}

function comparable({ contents, labels }: DecodedRows, { inputs }: Recipe) {
  if (inputs.kind === "email") return { contents, labels, kind: "text" } as const;
  const side = Math.sqrt(PIXEL_COUNT);
  return { contents, labels, kind: "image", width: side, height: side } as const;
}

/** The earners of rows in the version's order, ascending by contributor, then validator. @throws ATT_ROWS_MISMATCH */
export function earnerTable(rows: readonly EarnerOwners[]): Earner[] {
  const earners: Earner[] = [];
  for (const [index, { contributorId, validatorId }] of rows.entries()) {
    const last = earners.at(-1);
    const order =
      last === undefined ? 1 : contributorId - last.contributorId || validatorId - last.validatorId;
    if (order < 0) {
      throw attributionError(
        "ATT_ROWS_MISMATCH",
        `row ${index} belongs to an earlier earner than row ${index - 1}`,
        {
          data: { index },
        },
      );
    }
    if (order === 0) earners[earners.length - 1] = { ...last!, rowCount: last!.rowCount + 1 };
    else earners.push({ contributorId, validatorId, rowCount: 1 });
  }
  if (earners.length === 0) throw attributionError("ATT_ROWS_MISMATCH", "a version has at least one row");
  return earners;
}

/** Of each row the place of its earner. */
export function rowOwners(earners: readonly Earner[]): Int32Array {
  return Int32Array.from(earners.flatMap(({ rowCount }, earner) => Array<number>(rowCount).fill(earner)));
}

/** @throws ATT_ROWS_MISMATCH where the rows, in this order and with these owners, are not those of the recipe */
export function checkRowsRoot(rows: readonly OwnedRow[], { datanet }: Recipe): void {
  const root = versionRowsRoot(
    rows.map(({ content, contributorId, validatorId }) => ({
      rowHash: hashRow(content),
      contributorId,
      validatorId,
    })),
  );
  if (root === BigInt(datanet.rowsRoot)) return;
  throw attributionError(
    "ATT_ROWS_MISMATCH",
    `${rows.length} rows are not those of datanet ${datanet.id}, version ${datanet.version}`,
    {
      data: {
        expectedRoot: datanet.rowsRoot,
        actualRoot: hex32(root),
        contents: hashContents(rows.map(({ content }) => content)),
      },
    },
  );
}

function fitQueryMap(
  model: Model,
  parameters: Float64Array,
  examples: Examples,
  { method, seed }: Recipe,
  options: { onProgress?: OnProgress },
): QueryMap {
  const sensitivities = model.sensitivities(parameters, examples);
  const { rows } = alignColumns(sensitivities, sensitivities);
  return {
    usedInputs: sensitivities.layers.map(({ inputs }) => {
      const { position } = usedColumns(inputs);
      return Int32Array.from([...position.keys()].filter((input) => position[input]! >= 0));
    }),
    linear: featureMap(rows, { ...method, seed, ...options }).linear,
  };
}

/** Zero columns at the end of every row. */
function padColumns(features: QuantisedFeatures, columnCount: number): QuantisedFeatures {
  const { rowCount, featureCount, scale } = features;
  const values = new Int8Array(rowCount * columnCount);
  for (let i = 0; i < rowCount; i++) {
    values.set(features.values.subarray(i * featureCount, (i + 1) * featureCount), i * columnCount);
  }
  return { values, rowCount, featureCount: columnCount, scale };
}
