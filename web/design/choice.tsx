import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface ChoiceProps<Name extends string> {
  readonly label: ComponentChildren;
  readonly value: Name;
  readonly options: readonly { readonly name: Name; readonly label: string }[];
  readonly onChoose: (name: Name) => void;
  readonly help?: ComponentChildren;
}

/** One of a few, from a list that opens. */
export function Choice<Name extends string>({ help, label, onChoose, options, value }: ChoiceProps<Name>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="field-box">
        <select
          id={id}
          value={value}
          aria-describedby={help === undefined ? undefined : `${id}-help`}
          onChange={(event) => onChoose(event.currentTarget.value as Name)}
        >
          {options.map((one) => (
            <option key={one.name} value={one.name}>
              {one.label}
            </option>
          ))}
        </select>
      </div>
      {help !== undefined && (
        <p id={`${id}-help`} class="field-help">
          {help}
        </p>
      )}
    </div>
  );
}
