/** Tasks with which a new Datanet begins: each presets what a row is, and says what models can be made of it. */
import { MAX_PICTURE_BYTES } from "@openledger/attribution/pictures/picture-limits";
import { type ModelUse, type RowKind, useOfKind } from "@openledger/attribution/rows/row-kinds";

interface CardTask {
  readonly title: string;
  readonly about: string;
  readonly kind: RowKind;
  readonly maxBytes: string;
}

export const TASKS = {
  "sort-texts": {
    title: "Classify texts",
    about: "Each text gets a label: spam or not, a topic, the kind of a clause.",
    kind: "text",
    maxBytes: "20000",
  },
  "sort-pictures": {
    title: "Classify pictures",
    about: "Each picture gets a label: what it shows, whether a part is broken.",
    kind: "image",
    maxBytes: `${MAX_PICTURE_BYTES}`,
  },
  "predict-column": {
    title: "Predict a column",
    about: "Rows of a table: a model predicts one column from the others.",
    kind: "table",
    maxBytes: "20000",
  },
  "answer-questions": {
    title: "Answer questions",
    about: "Questions with answers: a model answers from them.",
    kind: "passage",
    maxBytes: "20000",
  },
  "write-texts": {
    title: "Write texts",
    about: "Texts: a model learns their style.",
    kind: "passage",
    maxBytes: "20000",
  },
} as const satisfies Readonly<Record<string, CardTask>>;
export type TaskName = keyof typeof TASKS;

export const TASK_NAMES = Object.keys(TASKS) as readonly TaskName[];

/** Draft with what a task presets. What was written stays; a size that somebody has chosen stays too. */
export function withTask<Draft extends { readonly maxBytes: string }>(draft: Draft, name: TaskName) {
  const { kind, maxBytes } = TASKS[name];
  const isPreset = TASK_NAMES.some((other) => TASKS[other].maxBytes === draft.maxBytes);
  return { ...draft, task: name, kind, maxBytes: isPreset ? maxBytes : draft.maxBytes };
}

const USES: Readonly<Record<ModelUse, string>> = {
  sort: "A classifier can be trained on these rows: it learns their labels.",
  predict:
    "A model can learn to predict the labels of these rows: the values of a column, or labels from people.",
  write: "A language model can be trained on these rows and cite them.",
};

/** Models that rows of a kind can become, in a sentence. */
export const sayUse = (kind: RowKind): string => USES[useOfKind(kind)];

const NO_LABELS: Readonly<Record<ModelUse, string>> = {
  sort: "Name at least two labels: without labels no classifier can be trained.",
  predict: "Name at least two labels, or choose the column to predict: a model needs something to predict.",
  write: "Labels are optional. Without labels, a row is accepted when its contribution is approved.",
};

/** Meaning of a draft without labels; null where it has some. */
export function sayNoLabels({ kind, labels }: { kind: RowKind; labels: string }): string | null {
  if (labels.trim() !== "") return null;
  return NO_LABELS[useOfKind(kind)];
}
