/**
 * Records that a host shows and that the present key of their account has not signed: a notice for those who read, and a tick for
 * those who publish, train or sign without them.
 */
import { type DroppedRecord, droppedLines } from "@openledger/client/datanets/sound-records";
import { Check } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import type { Problem } from "../words/problem.tsx";

/** Says how many records were left out, by kind and account; nothing for none. */
export function DroppedNotice({ dropped }: { dropped: readonly DroppedRecord[] }) {
  const [title, ...groups] = droppedLines(dropped);
  if (title === undefined) return null;
  return (
    <Notice tone="wait" title={title}>
      <ul class="small">
        {groups.map((line) => (
          <li key={line}>{line.trim()}</li>
        ))}
      </ul>
    </Notice>
  );
}

interface UnsignedCheckProps {
  readonly problem: Problem | null;
  readonly isChecked: boolean;
  readonly onCheck: (isChecked: boolean) => void;
}

/** Tick to go on without the records; shown where they have stopped the work. */
export function UnsignedCheck({ isChecked, onCheck, problem }: UnsignedCheckProps) {
  if (!isChecked && problem?.code !== "CLI_RECORDS_UNSIGNED") return null;
  return (
    <Check
      label="Go on without the records that their accounts did not sign"
      help="Rows and labels follow from the other records alone. What the host shows in these accounts' names counts for nothing."
      isChecked={isChecked}
      onCheck={onCheck}
    />
  );
}
