/** Form of a job as a builder types it: texts, which `formOf` parses to the factory's form within its limits. */
import type { ModelUse } from "@openledger/attribution/model/recipe-fields";
import { type FactoryForm, FORM_LIMITS } from "@openledger/models/factory/factory-api";
import { parseNumber } from "./parse-number.ts";

/** Fields that take whole numbers only. */
const WHOLE = ["folds", "rank", "rowsPerStep", "rowTokens", "heldOutRows", "answerTokens"];
/** Fields that may be empty: the rows decide then. */
const EMPTY = ["decay"];
export type NumberName = keyof typeof FORM_LIMITS;
/** Numbers that people may change here; the others of a form stay as the factory proposes them. */
const NUMBERS: Readonly<Record<"sort" | "write", readonly NumberName[]>> = {
  sort: ["folds", "decay", "ownerPercent", "validatorPercent"],
  write: [
    ...(["rounds", "heldOutRows", "rank", "alpha", "rate", "lastPart", "rowsPerStep", "rowTokens"] as const),
    ...(["answerTokens", "temperature", "ownerPercent", "validatorPercent", "citationPercent"] as const),
  ],
};
export const numbersOf = ({ use }: Pick<FactoryForm, "use">) => NUMBERS[use === "write" ? "write" : "sort"];

export type TypedForm = Readonly<Partial<Record<NumberName, string>>> & {
  readonly use: FactoryForm["use"];
  readonly name: string;
  readonly samplePrompt: string;
  readonly publishRows: boolean;
  readonly publishPermissionedRows: boolean;
  readonly isInt8: boolean;
  readonly modelUse: ModelUse;
  /** Fields of a table that count; null: as the factory chooses. Absent in drafts of earlier pages. */
  readonly countedFields?: readonly string[] | null;
};

/** The factory's form as texts to type in. */
export function typedOf(form: FactoryForm): TypedForm {
  const values = form as Partial<Record<NumberName, number | null>>;
  return {
    ...Object.fromEntries(numbersOf(form).map((name) => [name, String(values[name] ?? "")])),
    use: form.use,
    name: form.name,
    samplePrompt: form.use === "write" ? (form.samplePrompts[0] ?? "") : "",
    publishRows: form.publishRows,
    publishPermissionedRows: form.publishPermissionedRows === true,
    isInt8: form.use === "write" && form.weights === "int8",
    modelUse: form.modelUse ?? "paid",
    countedFields: form.use === "write" ? null : (form.countedFields ?? null),
  };
}

export const limitsOf = (name: NumberName) => ({
  ...FORM_LIMITS[name],
  isWhole: WHOLE.includes(name),
  mayBeEmpty: EMPTY.includes(name),
});

/** null if a field is wrong. */
export function formOf(typed: TypedForm, defaults: FactoryForm): FactoryForm | null {
  const numbers = numbersOf(defaults).map((name) => {
    const text = typed[name] ?? "";
    const isEmpty = EMPTY.includes(name) && text.trim() === "";
    return [name, isEmpty ? null : parseNumber(text, limitsOf(name)), isEmpty] as const;
  });
  if (typed.name.trim() === "" || numbers.some(([, value, isEmpty]) => value === null && !isEmpty))
    return null;
  const common = {
    ...(Object.fromEntries(numbers) as Record<NumberName, number>),
    name: typed.name.trim(),
    publishRows: typed.publishRows,
    ...(typed.publishPermissionedRows ? { publishPermissionedRows: true as const } : {}),
    modelUse: typed.modelUse,
  };
  if (defaults.use !== "write") {
    const { countedFields = null } = typed;
    if (countedFields?.length === 0) return null;
    return {
      ...defaults,
      ...common,
      ...(countedFields === null ? {} : { countedFields: [...countedFields] }),
    };
  }
  return {
    ...defaults,
    ...common,
    samplePrompts: typed.samplePrompt.trim() === "" ? [] : [typed.samplePrompt.trim()],
    weights: typed.isInt8 ? "int8" : "float32",
  };
}
