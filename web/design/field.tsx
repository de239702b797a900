/** Text field and check box of all forms. The caller holds the value as text, parses it, and passes the error to show. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface FieldProps {
  label: ComponentChildren;
  value: string;
  onInput: (value: string) => void;
  help?: ComponentChildren;
  /** Error of the value with its remedy; null if it has none. */
  problem?: string | null;
  /** Shown behind the value: a unit, a button. */
  after?: ComponentChildren;
  isLarge?: boolean;
  inputMode?: "decimal" | "text";
  placeholder?: string;
  isDisabled?: boolean;
  /** More than one: a box for a longer text. */
  lineCount?: number;
  /** Values that are often written; any other can be. */
  suggestions?: readonly string[];
}

/** Field of one line of text, or several, with its label, its help and its error. */
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
    lineCount = 1,
    suggestions = [],
  } = props;
  const id = useId();
  const noteId = `${id}-note`;
  const hasNote = problem !== null || help !== undefined;
  const common = {
    id,
    value,
    placeholder,
    disabled: isDisabled,
    autocomplete: "off",
    spellcheck: false,
    "aria-invalid": problem !== null,
    "aria-describedby": hasNote ? noteId : undefined,
  } as const;
  return (
    <div class={isLarge ? "field field-large" : "field"}>
      <label for={id}>{label}</label>
      <div class={problem === null ? "field-box" : "field-box field-wrong"}>
        {lineCount === 1 ? (
          <input
            {...common}
            inputMode={inputMode ?? "text"}
            list={suggestions.length > 0 ? `${id}-list` : undefined}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
        ) : (
          <textarea {...common} rows={lineCount} onInput={(event) => onInput(event.currentTarget.value)} />
        )}
        {suggestions.length > 0 && (
          <datalist id={`${id}-list`}>
            {suggestions.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        )}
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

interface CheckProps {
  label: ComponentChildren;
  help: string;
  isChecked: boolean;
  onCheck: (isChecked: boolean) => void;
}

/** Choice of yes or no, with its meaning. */
export function Check({ label, help, isChecked, onCheck }: CheckProps) {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={isChecked}
        aria-describedby={`${id}-help`}
        onChange={(event) => onCheck(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        <p id={`${id}-help`} class="field-help">
          {help}
        </p>
      </div>
    </div>
  );
}
