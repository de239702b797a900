import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: ComponentChildren;
  value: string;
  onInput: (value: string) => void;
  help?: ComponentChildren;
  /** What is wrong with the value, and what to do; null where nothing is. */
  problem?: string | null;
  /** Stands behind the value: a unit, a button. */
  after?: ComponentChildren;
  isLarge?: boolean;
  inputMode?: "decimal" | "text";
  placeholder?: string;
  isDisabled?: boolean;
}

/** A line of text with its label, its help and what is wrong with it. */
export function Field(props: FieldProps) {
  const {
    label,
    value,
    onInput,
    help,
    problem = null,
    after,
    isLarge,
    inputMode,
    placeholder,
    isDisabled,
  } = props;
  const id = useId();
  const noteId = `${id}-note`;
  const hasNote = problem !== null || help !== undefined;
  return (
    <div class={isLarge ? "field field-large" : "field"}>
      <label for={id}>{label}</label>
      <div class={problem === null ? "field-box" : "field-box field-wrong"}>
        <input
          id={id}
          value={value}
          inputMode={inputMode ?? "text"}
          placeholder={placeholder}
          disabled={isDisabled}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={problem !== null}
          aria-describedby={hasNote ? noteId : undefined}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        {after}
      </div>
      {hasNote && (
        <p id={noteId} class={problem === null ? "field-help" : "field-problem"}>
          {problem ?? help}
        </p>
      )}
    </div>
  );
}
