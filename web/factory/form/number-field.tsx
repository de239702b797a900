/** Number fields of the factory's form: typed texts, limits, and the error of a number outside them. */
import type { ComponentChildren } from "preact";
import { Field } from "../../design/field.tsx";
import { type NumberLimits, parseNumber } from "./parse-number.ts";

/** Numbers as they were typed, so that a reload keeps half-typed ones. */
export type TypedNumbers<Name extends string> = Readonly<Record<Name, string>>;

interface NumberFieldProps extends NumberLimits {
  readonly label: ComponentChildren;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly help?: ComponentChildren;
  readonly unit?: string;
}

/** Field of a number within limits. */
export function NumberField({ help, label, onInput, unit, value, ...limits }: NumberFieldProps) {
  const isEmpty = limits.mayBeEmpty === true && value.trim() === "";
  const isWrong = !isEmpty && parseNumber(value, limits) === null;
  const { isWhole, max, min } = limits;
  return (
    <Field
      label={label}
      value={value}
      onInput={onInput}
      inputMode="decimal"
      help={help}
      problem={isWrong ? `A${isWhole ? " whole" : ""} number from ${min} to ${max}.` : null}
      after={unit === undefined ? undefined : <span class="soft small">{unit}</span>}
    />
  );
}
