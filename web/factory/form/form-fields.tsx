/** Fields of a job's form with their limits (typed-form.ts). */
import type { ModelUse, RowTerms } from "@openledger/attribution/model/recipe-fields";
import { sayTelling } from "@openledger/attribution/model/telling-words";
import { forbiddingRows, openestLicence } from "@openledger/datanets/terms/terms-rule";
import type { FactoryEstimate } from "@openledger/models/factory/factory-api";
import type { ComponentChildren } from "preact";
import { Choice } from "../../design/choice.tsx";
import { Check, Field } from "../../design/field.tsx";
import { ForbiddenRows } from "../../hosts/forbidden-rows.tsx";
import { Term } from "../../words/term.tsx";
import { NumberField } from "./number-field.tsx";
import { limitsOf, type NumberName, numbersOf, type TypedForm } from "./typed-form.ts";

interface FormFieldsProps {
  readonly typed: TypedForm;
  readonly defaults: TypedForm;
  readonly isRegistrable: boolean;
  /** True if some of the rows are of a permissioned Datanet. */
  readonly isPermissioned: boolean;
  /** Terms of the rows; none: not looked at. */
  readonly terms: readonly RowTerms[];
  /** Fields of a table with their part in the model, and columns that tell too much; none before an estimate. */
  readonly fields: FactoryEstimate["fields"];
  readonly telling: FactoryEstimate["telling"];
  readonly onTyped: (typed: TypedForm) => void;
}

/** Fields that most people change, then those that decide what a model earns by, then the rest folded away. */
export function FormFields({
  defaults,
  fields,
  isPermissioned,
  isRegistrable,
  onTyped,
  telling,
  terms,
  typed,
}: FormFieldsProps) {
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
  const isWriter = typed.use === "write";
  const isChanged = numbersOf(typed).some((name) => typed[name] !== defaults[name]);
  return (
    <>
      <section class="card stack">
        <h2>Your model</h2>
        <Field
          label="Name"
          value={typed.name}
          onInput={(name) => onTyped({ ...typed, name })}
          problem={typed.name.trim() === "" ? "Enter a name." : null}
        />
        <Choice<ModelUse>
          label="What it is for"
          value={typed.modelUse}
          onChoose={(modelUse) => onTyped({ ...typed, modelUse })}
          options={USES}
        />
        <ModelLicence terms={terms} use={typed.modelUse} readsRows={Number(typed.citationPercent ?? 0) > 0} />
        {isWriter ? (
          <>
            <div class="settings-grid">
              {number(
                "rounds",
                <Term name="round (of a tuning)">Rounds</Term>,
                "How often training goes through all rows. Too many rounds only memorise them.",
              )}
              {number(
                "heldOutRows",
                <Term name="held-out rows">Held-out rows</Term>,
                "Not trained on: they show whether the model really learns. Answers can still cite them; by influence they earn next to nothing.",
              )}
            </div>
            <Field
              label="Sample prompt"
              value={typed.samplePrompt}
              onInput={(samplePrompt) => onTyped({ ...typed, samplePrompt })}
              help="Answered at intervals during training. If empty: the start of a held-out row."
            />
          </>
        ) : (
          <div class="settings-grid">
            {number(
              "folds",
              <Term name="fold">Folds</Term>,
              "Each fold is judged by a model trained on the others. The final model is trained on all rows, and all can earn. 0: no evaluation.",
            )}
            {number(
              "decay",
              "Smoothing",
              `A larger value fits the rows less closely: ${limitsOf("decay").min} to ${limitsOf("decay").max}. If empty: chosen by the number of rows.`,
            )}
          </div>
        )}
      </section>
      {fields.length > 0 && <CountedFields {...{ fields, onTyped, telling, typed }} />}
      {isRegistrable && (
        <section class="card stack">
          <h2>Who earns</h2>
          <p class="soft">
            Shares of each payment for an answer. What you and the treasury leave is divided among the rows.
          </p>
          <div class="settings-grid">
            {number("ownerPercent", "Your share", "A smaller share attracts better data.", "%")}
            {number(
              "validatorPercent",
              "Validators' share of what rows earn",
              "For the people who checked the rows.",
              "%",
            )}
            {isWriter &&
              number(
                "citationPercent",
                "Payments by citation",
                "Share of payments that goes to cited rows; influence divides the others. 0: no row is cited. The share on the Datanet's card takes precedence.",
                "%",
              )}
          </div>
          {isPermissioned ? (
            <Check
              label="Publish the model with its rows, though their Datanet is permissioned"
              help="The model's server gives them to those to whom the Datanet's owner has granted access, and to nobody else. A model that answers from its rows answers these people alone, published or not."
              isChecked={typed.publishPermissionedRows}
              onCheck={(isPublished) =>
                onTyped({ ...typed, publishRows: isPublished, publishPermissionedRows: isPublished })
              }
            />
          ) : (
            <Check
              label="Publish the model with its rows"
              help="Anyone can then see which rows an answer paid, and train the model again. Only if the licence allows it."
              isChecked={typed.publishRows}
              onCheck={(publishRows) => onTyped({ ...typed, publishRows })}
            />
          )}
        </section>
      )}
      {isWriter && <More {...{ defaults, isChanged, number, onTyped, typed }} />}
    </>
  );
}

/** Boxes for the fields of a table that a model learns from. */
function CountedFields({
  fields,
  onTyped,
  telling,
  typed,
}: Pick<FormFieldsProps, "fields" | "onTyped" | "telling" | "typed">) {
  const counted =
    typed.countedFields ?? fields.filter(({ part }) => part === "counts").map(({ name }) => name);
  const aboutOf = (name: string) => telling.filter(({ field }) => field === name).map(sayTelling);
  return (
    <section class="card stack" aria-label="Fields that count">
      <h2>Fields that count</h2>
      <p class="soft small">
        The model learns from these fields of each row. Leave out what nobody knows before the answer.
      </p>
      {fields
        .filter(({ part }) => part !== "labels")
        .map(({ name }) => (
          <Check
            key={name}
            label={name}
            help={aboutOf(name).join(" ")}
            isChecked={counted.includes(name)}
            onCheck={(isCounted) =>
              onTyped({
                ...typed,
                countedFields: fields
                  .map((field) => field.name)
                  .filter((one) => (one === name ? isCounted : counted.includes(one))),
              })
            }
          />
        ))}
      {counted.length === 0 && <p class="field-problem">Choose at least one field.</p>}
    </section>
  );
}

const USES: readonly { readonly name: ModelUse; readonly label: string }[] = [
  { name: "paid", label: "to answer for pay" },
  { name: "shared", label: "for anyone to have, without pay" },
  { name: "own", label: "for you alone" },
];

/** The licence that the model may have by its rows' terms, or the rows that stand in the way. */
function ModelLicence({
  readsRows,
  terms,
  use,
}: {
  readonly terms: readonly RowTerms[];
  readonly use: ModelUse;
  readonly readsRows: boolean;
}) {
  if (terms.length === 0) return null;
  const licence = openestLicence(terms, { use, readsRows });
  const forbidding = forbiddingRows(terms, { use, licence, readsRows });
  if (forbidding.length > 0) return <ForbiddenRows rows={forbidding} />;
  return (
    <p class="soft small">
      Licence of the model by its rows' terms: {licence ?? "none"}. This is a machine's reading, and no legal
      advice.
    </p>
  );
}

interface MoreProps extends Pick<FormFieldsProps, "defaults" | "onTyped" | "typed"> {
  readonly isChanged: boolean;
  readonly number: (
    name: NumberName,
    label: ComponentChildren,
    help: string,
    unit?: string,
  ) => ComponentChildren;
}

/** Settings of a tuning that few people change. */
function More({ defaults, isChanged, number, onTyped, typed }: MoreProps) {
  return (
    <section class="card">
      <details>
        <summary class="row">More settings</summary>
        <div class="folded stack">
          <div class="settings-grid">
            {number(
              "rank",
              <Term name="rank (of an adapter)">Rank</Term>,
              "8 suits style and form; a higher rank holds more facts.",
            )}
            {number(
              "alpha",
              "Alpha",
              "How strongly the adapter changes the base model. Usually twice the rank.",
            )}
            {number(
              "rate",
              <Term name="learning rate">Learning rate</Term>,
              "If the loss jumps, try a third.",
            )}
            {number("lastPart", "Final rate", "As a fraction of the learning rate, which falls linearly.")}
            {number("rowsPerStep", "Rows per step", "More rows make training steadier and slower.")}
            {number(
              "rowTokens",
              <Term name="token">Tokens per row</Term>,
              "Longer rows are refused, never cut.",
            )}
            {number("answerTokens", "Tokens per answer", "Maximum length of an answer.")}
            {number("temperature", "Temperature", "0: always the most likely token. Higher: more varied.")}
          </div>
          <Check
            label="8-bit base model"
            help="Needs a quarter of the memory for training and for checking answers. Usual for large models."
            isChecked={typed.isInt8}
            onCheck={(isInt8) => onTyped({ ...typed, isInt8 })}
          />
          {isChanged && (
            <p class="small">
              <button
                type="button"
                class="term"
                onClick={() => onTyped({ ...typed, ...numbersTyped(defaults) })}
              >
                Reset to defaults
              </button>
            </p>
          )}
        </div>
      </details>
    </section>
  );
}

const numbersTyped = (typed: TypedForm) =>
  Object.fromEntries(numbersOf(typed).map((name) => [name, typed[name]]));
