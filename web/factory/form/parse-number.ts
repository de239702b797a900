/** Numbers of a form as people type them. */

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
  /** true: an empty field leaves the number to the factory. */
  readonly mayBeEmpty?: boolean;
}

/** null if the text is no number within the limits. */
export function parseNumber(text: string, { isWhole, max, min }: NumberLimits): number | null {
  if (!/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text.trim())) return null;
  const value = Number(text);
  return value >= min && value <= max && (!isWhole || Number.isInteger(value)) ? value : null;
}
