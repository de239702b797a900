/**
 * Proposes the form of a training job for given rows, checks what people typed into it, and chooses the settlement circuit that
 * its model is made for.
 */

import { useOfKind } from "@openledger/attribution/rows/row-kinds";
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { splitOfPercents } from "@openledger/circuits/settlement/settlement-split";
import { counted } from "@openledger/foundation/counted";
import { factoryError } from "../model-errors.ts";
import { baseSourceAt } from "../tuning/base/base-address.ts";
import { readFrom, shapeOfBase } from "../tuning/recipe/base-files.ts";
import { settles } from "../tuning/recipe/plan-model.ts";
import { textPreset } from "../tuning/recipe/recipe-presets.ts";
import { weightsOf } from "../tuning/recipe/text-recipe.ts";
import {
  type FactoryForm,
  type FactoryUse,
  FORM_LIMITS,
  type FormView,
  type SortForm,
  type WriteForm,
} from "./factory-api.ts";
import { requireUse } from "./model-uses.ts";
import type { CircuitSize, StoredBase, StoredDataset } from "./store/factory-records.ts";
import type { PlainTerms } from "./tasks/task-messages.ts";

/** Minimum steps of a tuning, however few its rows. */
const MIN_STEPS = 20;
/** Features of a language model while no circuit fixes their number. */
const USUAL_FEATURES = 256;
/** Buckets of a sorting model while no circuit fixes their number. */
const USUAL_BUCKETS = 1_024;
/** Draws of an epoch while no circuit fixes their number. */
export const DRAWS = 4;
/** Folds of a sorting model's rows: each is judged by a model of four fifths. */
const FOLDS = 5;

/** Settlement circuit of a model of these rows, or why there is none. */
export interface CircuitChoice {
  readonly size: CircuitSize | null;
  readonly whyNot: string | null;
  /** Features of the circuit, or the usual ones. */
  readonly features: number;
}

/** The smallest circuit of the use that holds the rows. */
export function chooseCircuit(
  sizes: readonly CircuitSize[] | null,
  { view }: StoredDataset,
  use: FactoryUse,
): CircuitChoice {
  const isDirect = use !== "write";
  const none = (whyNot: string) => ({
    size: null,
    whyNot,
    features: isDirect ? USUAL_BUCKETS : USUAL_FEATURES,
  });
  if (sizes === null) return none("the rollup's circuits are not known: Ethereum does not answer");
  const ofUse = sizes.filter((one) => (one.isDirect === true) === isDirect);
  const isJoint = view.further.length > 0;
  const size = ofUse.filter((one) => settles(one, view.people, isJoint)).sort((a, b) => a.rows - b.rows)[0];
  if (size !== undefined) return { size, whyNot: null, features: size.features };
  const max = ofUse
    .map(
      ({ payees, rows, shards = 1 }) =>
        `${counted(rows * shards, "row")} of ${counted(payees * shards, "payee")}`,
    )
    .join(", ");
  const input = `${counted(view.rowCount, "row")} of ${counted(presentPayees(view.people).length, "payee")}`;
  return none(`no circuit holds ${input}: there are ${max === "" ? "none for this use" : max}`);
}

/** Use that a form's request means: without a base, the rows' own. */
export const useOf = ({ view }: StoredDataset, base: StoredBase | null): FactoryUse =>
  base === null ? useOfKind(view.rowKind) : "write";

/** Payments by citation of a model that says its rows' answers, where the Datanet's card has no share. */
const CITATION_PERCENT = 50;

/**
 * Defaults that fit base and rows.
 * @param hasQuestions every row is a prompt with its answer: answers are then said from rows
 * @throws MOD_FACTORY_NOT_TRAINABLE, SRV_BAD_REQUEST for a writer without a base */
export async function defaultForm(
  base: StoredBase | null,
  dataset: StoredDataset,
  choice: CircuitChoice,
  hasQuestions: boolean,
): Promise<FormView> {
  const use = useOf(dataset, base);
  requireUse(dataset.view, use);
  return {
    rowCount: dataset.view.rowCount,
    terms: dataset.view.terms,
    payeeCount: presentPayees(dataset.view.people).length,
    columnCount: choice.features,
    drawCount: choice.size?.draws ?? DRAWS,
    isPermissioned: isPermissioned(dataset.view),
    isRegistrable: choice.size !== null,
    whyNot: choice.whyNot,
    form:
      use === "write"
        ? await writeForm(requireBase(base), dataset, choice, hasQuestions)
        : sortForm(use, dataset),
  };
}

function requireBase(base: StoredBase | null): StoredBase {
  if (base !== null) return base;
  throw factoryError("SRV_BAD_REQUEST", "a language model needs a base", { data: { fields: ["baseId"] } });
}

/** True if some of the rows are of a permissioned Datanet. */
const isPermissioned = ({ datanet, further }: StoredDataset["view"]): boolean =>
  [datanet, ...further].some((one) => one?.isPublic === false);

const commonForm = ({ view }: StoredDataset, name: string) => ({
  name: name.slice(0, 80),
  seed: "factory",
  ownerPercent: 20,
  validatorPercent: 12.5,
  predecessorId: 0,
  publishRows: view.datanet !== null && !isPermissioned(view),
});

const sortForm = (use: SortForm["use"], dataset: StoredDataset): SortForm => ({
  use,
  // A name of its own: lists show Datanets and models side by side.
  ...commonForm(dataset, `${dataset.view.name.slice(0, 69)} classifier`),
  decay: null,
  folds: Math.min(FOLDS, dataset.view.rowCount),
});

async function writeForm(
  base: StoredBase,
  dataset: StoredDataset,
  { features }: CircuitChoice,
  hasQuestions: boolean,
): Promise<WriteForm> {
  const { rowCount } = dataset.view;
  const preset = await textPreset(baseSourceAt(base.place), base.view.name, {
    rowCount,
    columnCount: features,
    isSaying: hasQuestions,
  });
  const { adapter, answers, tuning } = preset;
  return {
    use: "write",
    ...commonForm(dataset, `${dataset.view.name} on ${base.view.name}`),
    rank: adapter.rank,
    alpha: adapter.alpha,
    targets: [...adapter.targets],
    weights: weightsOf(preset, await shapeOfBase(base.files, [readFrom(baseSourceAt(base.place))])),
    // Very few rows would go round more often than a form may say.
    rounds: Math.min(
      FORM_LIMITS.rounds.max,
      Math.round((tuning.steps * tuning.rowsPerStep) / Math.max(1, rowCount - (preset.heldOut ?? 0))),
    ),
    rowsPerStep: tuning.rowsPerStep,
    rate: tuning.rate,
    lastPart: tuning.lastPart,
    decay: tuning.decay,
    rowTokens: preset.rowTokens,
    heldOutRows: preset.heldOut ?? 0,
    answerTokens: answers.answerTokens,
    temperature: 0,
    samplePrompts: [],
    citationPercent: hasQuestions ? CITATION_PERCENT : 0,
  };
}

/** Steps of a language model's tuning. @param rowCount of the version */
export const stepsOf = ({ heldOutRows, rounds, rowsPerStep }: WriteForm, rowCount: number): number =>
  Math.max(MIN_STEPS, Math.ceil((rounds * (rowCount - heldOutRows)) / rowsPerStep));

/**
 * Checks of a form that need no file: what is left is checked where rows and base are read (tasks/plan-task.ts).
 * @throws MOD_FACTORY_NOT_TRAINABLE, SRV_BAD_REQUEST naming the fields, SRV_TOO_LARGE
 */
export function checkForm(
  form: FactoryForm,
  { base, dataset, maxSteps }: { base: StoredBase | null; dataset: StoredDataset; maxSteps: number },
): void {
  requireUse(dataset.view, form.use);
  if (form.publishRows && isPermissioned(dataset.view) && form.publishPermissionedRows !== true)
    throw factoryError(
      "SRV_BAD_REQUEST",
      "publishRows: the rows are of a permissioned Datanet, and publishPermissionedRows does not say that they are published",
      { data: { fields: ["form.publishRows", "form.publishPermissionedRows"] } },
    );
  const { rowCount } = dataset.view;
  if (form.use !== "write") {
    if (base !== null)
      throw factoryError("SRV_BAD_REQUEST", "a model that sorts has no base", {
        data: { fields: ["baseId"] },
      });
    if (form.folds === 1 || form.folds > rowCount)
      throw wrongField("folds", `0, or from 2 to the number of rows, ${rowCount}`);
    return;
  }
  const { maxPositions } = requireBase(base).view;
  const trained = rowCount - form.heldOutRows;
  if (trained < 4)
    throw wrongField("heldOutRows", `${counted(trained, "row")} would be left to train on; 4 are the least`);
  if (form.rowTokens > maxPositions) throw wrongField("rowTokens", `the base takes ${maxPositions} tokens`);
  if (form.answerTokens >= form.rowTokens)
    throw wrongField("answerTokens", "leaves no token of a row for the prompt");
  const steps = stepsOf(form, rowCount);
  if (steps > maxSteps)
    throw factoryError("SRV_TOO_LARGE", `${counted(steps, "step")}, ${maxSteps} are the most`, {
      data: { what: "steps", given: steps, max: maxSteps },
    });
}

export const termsOfForm = (form: FactoryForm): PlainTerms => ({
  ...splitOfPercents(form),
  predecessorId: form.predecessorId,
});

function wrongField(field: keyof typeof FORM_LIMITS, why: string) {
  return factoryError("SRV_BAD_REQUEST", `${field}: ${why}`, {
    data: { fields: [`form.${field}`] },
  });
}
