/** Notice of columns that number the rows or tell the label by themselves, before a training and beside its figure. */
import { isSuspect, sayTelling, type TellingColumn } from "@openledger/attribution/model/telling-words";
import { Notice } from "../design/notice.tsx";

interface TellingNoticeProps {
  readonly telling: readonly TellingColumn[];
  /** Remedy for a field of a table. */
  readonly remedy: string;
}

export function TellingNotice({ remedy, telling }: TellingNoticeProps) {
  const suspects = telling.filter(isSuspect);
  const others = telling.filter((column) => !isSuspect(column));
  const isOfField = suspects.some(({ field }) => field !== null);
  return (
    <>
      {suspects.length > 0 && (
        <Notice tone="wait" title="Accuracy may not hold for new rows.">
          {suspects.map((column) => (
            <p key={sayTelling(column)}>{sayTelling(column)}</p>
          ))}
          <p>{isOfField ? remedy : "Look at the rows before you sell its answers."}</p>
        </Notice>
      )}
      {others.map((column) => (
        <p key={sayTelling(column)} class="soft small">
          {sayTelling(column)}
        </p>
      ))}
    </>
  );
}
