/** Value of a table's field as all pages show it. */
import type { FieldValue } from "@openledger/attribution/rows/table-rows";
import { RowText } from "./row-text.tsx";

interface FieldValueProps {
  readonly value: FieldValue;
  /** Maximum characters of a text; default: all. */
  readonly maxCharacters?: number;
  readonly isOneLine?: boolean;
}

/** Value of a field: numbers with all their digits, texts as they are, and a word for what is missing. */
export function ShownValue({ isOneLine = false, maxCharacters, value }: FieldValueProps) {
  if (value === null) return <span class="soft">missing</span>;
  if (typeof value === "boolean") return <>{value ? "yes" : "no"}</>;
  if (typeof value === "number") return <>{String(value)}</>;
  const text =
    maxCharacters === undefined || value.length <= maxCharacters
      ? value
      : `${value.slice(0, maxCharacters)} …`;
  return <RowText text={text} isOneLine={isOneLine} />;
}
