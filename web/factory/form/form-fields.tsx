/**
 * Fields of a job's form with their limits (`FORM_LIMITS` of models/factory/factory-api.ts): a builder types texts, `formOf`
 * parses them to the factory's form.
 */
import { type FactoryForm, FORM_LIMITS } from "@openledger/models/factory/factory-api";
import type { ComponentChildren } from "preact";
import { Check, Field } from "../../design/field.tsx";
import { Term } from "../../words/term.tsx";
import { NumberField, parseNumber } from "./number-field.tsx";

/** Fields that take whole numbers only. */
const WHOLE = ["rank", "rowsPerStep", "rowTokens", "heldOutRows", "answerTokens"];
/** Numbers that people may change here; the others of the form stay as the factory proposes them. */
const NUMBERS = [
  ...["rounds", "heldOutRows", "rank", "alpha", "rate", "lastPart", "rowsPerStep", "rowTokens"],
  ...["answerTokens", "temperature", "ownerPercent", "validatorPercent", "citationPercent"],
] as readonly (keyof typeof FORM_LIMITS)[];
type NumberName = (typeof NUMBERS)[number];

export type TypedForm = Readonly<Partial<Record<NumberName, string>>> & {
  readonly name: string;
  readonly samplePrompt: string;
  readonly publishRows: boolean;
  readonly isInt8: boolean;
};

/** The factory's form as texts to type in. */
export function typedOf(form: FactoryForm): TypedForm {
  return {
    ...Object.fromEntries(NUMBERS.map((name) => [name, String(form[name])])),
    name: form.name,
    samplePrompt: form.samplePrompts[0] ?? "",
    publishRows: form.publishRows,
    isInt8: form.weights === "int8",
  };
}

const limitsOf = (name: NumberName) => ({ ...FORM_LIMITS[name], isWhole: WHOLE.includes(name) });

/** null if a field is wrong. */
export function formOf(typed: TypedForm, defaults: FactoryForm): FactoryForm | null {
  const numbers = NUMBERS.map((name) => [name, parseNumber(typed[name] ?? "", limitsOf(name))] as const);
  if (typed.name.trim() === "" || numbers.some(([, value]) => value === null)) return null;
  return {
    ...defaults,
    ...(Object.fromEntries(numbers) as Record<NumberName, number>),
    name: typed.name.trim(),
    samplePrompts: typed.samplePrompt.trim() === "" ? [] : [typed.samplePrompt.trim()],
    publishRows: typed.publishRows,
    weights: typed.isInt8 ? "int8" : "float32",
  };
}

interface FormFieldsProps {
  readonly typed: TypedForm;
  readonly defaults: TypedForm;
  readonly isRegistrable: boolean;
  readonly onTyped: (typed: TypedForm) => void;
}

/** Fields that most people change, then those that decide what a model earns by, then the rest folded away. */
export function FormFields({ defaults, isRegistrable, onTyped, typed }: FormFieldsProps) {
  const number = (name: NumberName, label: ComponentChildren, help: string, unit?: string) => (
    <NumberField
      {...limitsOf(name)}
      label={label}
      help={help}
      {...(unit === undefined ? {} : { unit })}
      value={typed[name] ?? ""}
      onInput={(value) => onTyped({ ...typed, [name]: value })}
    />
  );
  const isChanged = NUMBERS.some((name) => typed[name] !== defaults[name]);
  return (
    <>
      <section class="card stack">
        <h2>Your model</h2>
        <Field
          label="Name"
          value={typed.name}
          onInput={(name) => onTyped({ ...typed, name })}
          problem={typed.name.trim() === "" ? "It needs a name." : null}
        />
        <div class="settings-grid">
          {number(
            "rounds",
            <Term name="round (of a tuning)">Rounds</Term>,
            "More rounds fit the rows better; too many only memorise them.",
          )}
          {number(
            "heldOutRows",
            <Term name="held-out rows">Held-out rows</Term>,
            "They show whether it really learns, and earn nothing by this model.",
          )}
        </div>
        <Field
          label="A prompt to watch"
          value={typed.samplePrompt}
          onInput={(samplePrompt) => onTyped({ ...typed, samplePrompt })}
          help="It is continued while the model learns. Left empty: the beginning of a held-out row."
        />
      </section>
      {isRegistrable && (
        <section class="card stack">
          <h2>Who earns</h2>
          <p class="soft">Of each payment for an answer. The rest goes to the people behind the rows.</p>
          <div class="settings-grid">
            {number("ownerPercent", "Your part", "A smaller part attracts better data.", "%")}
            {number(
              "validatorPercent",
              "Validators' part of the rest",
              "For those who checked the rows.",
              "%",
            )}
            {number(
              "citationPercent",
              "Payments by citation",
              "Answers are then written from rows, and cite them. The other payments go by influence; 0: all of them.",
              "%",
            )}
          </div>
          <Check
            label="Publish the model with its rows"
            help="Then anyone can see which rows an answer paid, and train it again. Only where the licence allows it."
            isChecked={typed.publishRows}
            onCheck={(publishRows) => onTyped({ ...typed, publishRows })}
          />
        </section>
      )}
      <section class="card">
        <details>
          <summary class="row">More settings</summary>
          <div class="folded stack">
            <div class="settings-grid">
              {number(
                "rank",
                <Term name="rank (of an adapter)">Rank</Term>,
                "8 is right for style and form; more holds more facts.",
              )}
              {number("alpha", "Alpha", "How strongly the adapter changes the base. Usually twice the rank.")}
              {number(
                "rate",
                <Term name="learning rate">Learning rate</Term>,
                "If the loss jumps, try a third of it.",
              )}
              {number("lastPart", "Rate at the end", "As a part of the rate: it falls evenly.")}
              {number("rowsPerStep", "Rows a step", "More make the training steadier and slower.")}
              {number(
                "rowTokens",
                <Term name="token">Tokens a row</Term>,
                "A longer row is refused, never cut.",
              )}
              {number("answerTokens", "Tokens an answer", "The longest answer.")}
              {number("temperature", "Temperature", "0: always the likeliest word. Higher: more varied.")}
            </div>
            <Check
              label="Base in 8 bits a number"
              help="A quarter of the memory, to train it and to check its answers. Usual for large bases."
              isChecked={typed.isInt8}
              onCheck={(isInt8) => onTyped({ ...typed, isInt8 })}
            />
            {isChanged && (
              <p class="small">
                <button
                  type="button"
                  class="term"
                  onClick={() => onTyped({ ...typed, ...numbersOf(defaults) })}
                >
                  Back to what fits
                </button>
              </p>
            )}
          </div>
        </details>
      </section>
    </>
  );
}

const numbersOf = (typed: TypedForm) => Object.fromEntries(NUMBERS.map((name) => [name, typed[name]]));
