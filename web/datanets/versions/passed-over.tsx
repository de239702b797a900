/** Commits whose rows nobody has brought: a notice that names them, and a tick to publish without rows that were approved before. */
import { passedOverLines } from "@openledger/client/actions/data/committed-rows";
import type { DatanetCommit } from "@openledger/client/actions/data/list-commits";
import { Check } from "../../design/field.tsx";
import { Notice } from "../../design/notice.tsx";
import type { Problem } from "../../words/problem.tsx";

/** Names the commits that the version, or its check, goes without; nothing for none. */
export function PassedOverNotice({ passedOver }: { passedOver: readonly DatanetCommit[] }) {
  const [title, ...commits] = passedOverLines(passedOver);
  if (title === undefined) return null;
  return (
    <Notice tone="wait" title={title}>
      <ul class="small">
        {commits.map((line) => (
          <li key={line}>{line.trim()}</li>
        ))}
      </ul>
    </Notice>
  );
}

interface MissingCheckProps {
  readonly problem: Problem | null;
  readonly isChecked: boolean;
  readonly onCheck: (isChecked: boolean) => void;
}

/** Tick to go on without rows that were approved or published; shown where their absence has stopped the work. */
export function MissingCheck({ isChecked, onCheck, problem }: MissingCheckProps) {
  if (!isChecked && problem?.code !== "CLI_COMMITS_MISSING") return null;
  return (
    <Check
      label="Go on without the rows that no host has"
      help="They were approved or published before. Their contributors earn nothing from the new version."
      isChecked={isChecked}
      onCheck={onCheck}
    />
  );
}
