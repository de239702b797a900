/** Reading of one field of a record: what its cell cannot be is refused with file, line and field. */
import { CellError } from "./cell.ts";
import { LabelError } from "./label-readings.ts";
import { type FilePosition, unreadable } from "./refusal.ts";

/** @throws DNT_FILE_UNREADABLE for a CellError of what is read */
export function inField<Result>(
  position: FilePosition & { readonly field: string },
  read: () => Result,
): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof CellError)) throw cause;
    const why = cause instanceof LabelError ? cause.message : `"${position.field}" ${cause.message}`;
    throw unreadable(position, why, cause);
  }
}
