/** Drop-down list with its label, help and error: the one selection field of all forms. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface ChoiceProps<Name extends string> {
  readonly label: ComponentChildren;
  readonly value: Name;
  readonly options: readonly { readonly name: Name; readonly label: string }[];
  readonly onChoose: (name: Name) => void;
  readonly help?: ComponentChildren;
  /** Error of the choice; null if it has none. */
  readonly problem?: string | null;
}

/** One of a few, from a list that opens. */
export function Choice<Name extends string>({
  help,
  label,
  onChoose,
  options,
  problem = null,
  value,
}: ChoiceProps<Name>) {
  const id = useId();
  const note = problem ?? help;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class={problem === null ? "field-box" : "field-box field-wrong"}>
        <select
          id={id}
          value={value}
          aria-invalid={problem !== null}
          aria-describedby={note === undefined ? undefined : `${id}-help`}
          onChange={(event) => onChoose(event.currentTarget.value as Name)}
        >
          {options.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      {note !== undefined && (
        <p id={`${id}-help`} class={problem === null ? "field-help" : "field-problem"}>
          {note}
        </p>
      )}
    </div>
  );
}
