/**
 * Turns the form of a training job, as people fill it in, into the recipe that it stands for, and proposes the form for given
 * rows.
 */
import { holdsPayees } from "@openledger/circuits/settlement/settlement-size";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { AdapterTarget } from "../engine/architecture/adapter-layout.ts";
import { factoryError } from "../model-errors.ts";
import { baseSourceAt } from "../tuning/base/base-place.ts";
import { readFrom, shapeOfBase } from "../tuning/recipe/base-files.ts";
import {
  ekFacFor,
  methodFor,
  retrievalOf,
  textEnds,
  textPreset,
  textRules,
} from "../tuning/recipe/recipe-presets.ts";
import { parseTextRecipe, type TextRecipe, weightsOf } from "../tuning/recipe/text-recipe.ts";
import type { FactoryForm, FORM_LIMITS, FormView } from "./factory-api.ts";
import type { CircuitSize, StoredBase, StoredDataset } from "./store/factory-records.ts";
import type { PlainTerms } from "./tasks/task-messages.ts";

/** Minimum steps of a tuning, however few its rows. */
const MIN_STEPS = 20;
/** Placeholder in recipes whose rows are of no Datanet: such a model cannot be registered. */
const NO_DATANET = { id: 0xffffff, version: 1 };
/** Features of a model while no circuit fixes their number. */
const USUAL_COLUMNS = 256;
/** Draws of an epoch while no circuit fixes their number. */
const DRAWS = 4;
/** Denominator of a split: parts are in 65,536ths. */
const PARTS = 65_536;

/** Returns the settlement circuit for these rows, or why there is none. */
interface CircuitChoice {
  readonly size: CircuitSize | null;
  readonly whyNot: string | null;
}

/** The smallest circuit that holds the rows. */
export function chooseCircuit(sizes: readonly CircuitSize[] | null, { view }: StoredDataset): CircuitChoice {
  if (view.datanet === null) return { size: null, whyNot: "the rows are of no Datanet" };
  if (sizes === null)
    return { size: null, whyNot: "the rollup's circuits are not known: Ethereum does not answer" };
  const size = sizes.filter((one) => holdsPayees(one, view.people)).sort((a, b) => a.rows - b.rows)[0];
  if (size !== undefined) return { size, whyNot: null };
  const max = sizes
    .map(({ payees, rows, shards = 1 }) => `${rows * shards} rows of ${payees * shards} payees`)
    .join(", ");
  return {
    size: null,
    whyNot: `no circuit holds ${view.rowCount} rows of ${view.people.length} payees: there are ${max}`,
  };
}

/** Defaults that fit base and rows: the command line's preset "texts". */
export async function defaultForm(
  base: StoredBase,
  dataset: StoredDataset,
  { size, whyNot }: CircuitChoice,
): Promise<FormView> {
  const { rowCount } = dataset.view;
  const columnCount = size?.features ?? USUAL_COLUMNS;
  const preset = await textPreset(baseSourceAt(base.place), base.view.name, { rowCount, columnCount });
  const { adapter, answers, tuning } = preset;
  return {
    rowCount,
    payeeCount: dataset.view.people.length,
    columnCount,
    drawCount: size?.draws ?? DRAWS,
    isRegistrable: size !== null,
    whyNot,
    form: {
      name: `${dataset.view.name} on ${base.view.name}`.slice(0, 80),
      rank: adapter.rank,
      alpha: adapter.alpha,
      targets: [...adapter.targets],
      weights: weightsOf(preset, await shapeOfBase(base.files, [readFrom(baseSourceAt(base.place))])),
      rounds: Math.round((tuning.steps * tuning.rowsPerStep) / Math.max(1, rowCount - (preset.heldOut ?? 0))),
      rowsPerStep: tuning.rowsPerStep,
      rate: tuning.rate,
      lastPart: tuning.lastPart,
      decay: tuning.decay,
      rowTokens: preset.rowTokens,
      heldOutRows: preset.heldOut ?? 0,
      seed: "factory",
      answerTokens: answers.answerTokens,
      temperature: 0,
      samplePrompts: [],
      ownerPercent: 20,
      validatorPercent: 12.5,
      citationPercent: 0,
      predecessorId: 0,
      publishRows: dataset.view.datanet?.isPublic ?? false,
    },
  };
}

/** @throws SRV_BAD_REQUEST naming the fields, SRV_TOO_LARGE, ATT_RECIPE_INVALID */
export async function recipeOfForm(
  form: FactoryForm,
  {
    base,
    choice,
    dataset,
    maxSteps,
  }: {
    readonly base: StoredBase;
    readonly dataset: StoredDataset;
    readonly choice: CircuitChoice;
    readonly maxSteps: number;
  },
): Promise<TextRecipe> {
  const { rowCount, datanet } = dataset.view;
  const { maxPositions } = base.view;
  const trained = rowCount - form.heldOutRows;
  if (trained < 4)
    throw wrongField("heldOutRows", `${trained} rows would be left to train on; 4 are the least`);
  if (form.rowTokens > maxPositions) throw wrongField("rowTokens", `the base takes ${maxPositions} tokens`);
  if (form.answerTokens >= form.rowTokens)
    throw wrongField("answerTokens", "leaves no token of a row for the prompt");
  const steps = Math.max(MIN_STEPS, Math.ceil((form.rounds * trained) / form.rowsPerStep));
  if (steps > maxSteps)
    throw factoryError("SRV_TOO_LARGE", `${steps} steps, ${maxSteps} are the most`, {
      data: { what: "steps", given: steps, max: maxSteps },
    });
  const columnCount = choice.size?.features ?? USUAL_COLUMNS;
  const promptTokens = form.rowTokens - form.answerTokens;
  const isCiting = form.citationPercent > 0;
  const { rowsRoot } = dataset;
  const source = baseSourceAt(base.place);
  const { answers, ends } = await textEnds(source);
  const shape = await shapeOfBase(base.files, [readFrom(source)]);
  const adapter = { rank: form.rank, alpha: form.alpha, targets: form.targets as AdapterTarget[] };
  return parseTextRecipe({
    version: 2,
    family: "text",
    datanet: { ...(datanet === null ? NO_DATANET : { id: datanet.id, version: datanet.version }), rowsRoot },
    base: base.files,
    ...(form.weights === undefined ? {} : { weights: form.weights }),
    seed: form.seed,
    rowTokens: form.rowTokens,
    ...ends,
    adapter,
    tuning: {
      steps,
      rowsPerStep: form.rowsPerStep,
      rate: form.rate,
      warmupSteps: Math.min(10, Math.ceil(steps / 10)),
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      decay: form.decay,
      lastPart: form.lastPart,
      weigh: "tokens",
    },
    ...(form.heldOutRows === 0 ? {} : { heldOut: form.heldOutRows }),
    method: methodOf(shape, adapter, { rowCount, columnCount, isCiting }),
    ...(isCiting ? { retrieval: retrievalOf(columnCount, promptTokens, 10 * form.citationPercent) } : {}),
    answers: {
      promptTokens,
      answerTokens: form.answerTokens,
      temperature: form.temperature,
      ...answers,
    },
    rules: textRules(isCiting),
    columnCount,
  });
}

export const termsOfForm = ({ ownerPercent, predecessorId, validatorPercent }: FactoryForm): PlainTerms => ({
  ownerParts: Math.round((ownerPercent * PARTS) / 100),
  validatorParts: Math.round((validatorPercent * PARTS) / 100),
  predecessorId,
});

function wrongField(field: keyof typeof FORM_LIMITS, why: string) {
  return factoryError("SRV_BAD_REQUEST", `${field}: ${why}`, {
    data: { fields: [`form.${field}`] },
  });
}

/** An adapter of modules that the base does not have gets any: its job fails, and says why. */
function methodOf(...[shape, adapter, sizes]: Parameters<typeof methodFor>): TextRecipe["method"] {
  try {
    return methodFor(shape, adapter, sizes);
  } catch (error) {
    if (!isRollupError(error, "MOD_FILE_INVALID")) throw error;
    return ekFacFor(sizes);
  }
}
