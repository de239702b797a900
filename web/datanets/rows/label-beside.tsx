/** Parts beside the row on the label tab: the model's suggestion and the labeller's progress. */

import { getHostedRow } from "@openledger/client/datanets/browse-rows";
import { getStatistics } from "@openledger/client/datanets/label-turns";
import { useEffect } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { KeyHint } from "../../hosts/keys/key-hint.tsx";
import type { TabProps } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import type { HeldLabel } from "./label-outbox.ts";
import { AGREEMENT } from "./statistics.tsx";

interface SuggestionProps extends TabProps {
  readonly digest: string;
  /** Called if the suggestion was shown: the label that follows records it. */
  readonly onSeen: (label: string) => void;
}

/** Suggestion of a model. People who see it tend to follow it, so the label records that it was seen. */
export function Suggestion({ digest, onSeen, place, visitor }: SuggestionProps) {
  const { problem, value } = useLoad(digest, () =>
    getHostedRow(visitor.reader, { ...place, digest, isSigned: true }),
  );
  const suggestion = value?.suggestion ?? null;
  useEffect(() => {
    if (suggestion !== null) onSeen(suggestion.label);
  }, [suggestion]);
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft small">Loading the suggestion …</p>;
  if (suggestion === null) return <p class="soft small">No model has a suggestion for this row.</p>;
  return (
    <p class="row" role="note">
      <span>
        <strong>
          <RowText text={suggestion.label} isOneLine />
        </strong>
        , says <RowText text={suggestion.model} isOneLine />
      </span>
      <span class="soft small">
        <KeyHint name="Enter" /> takes it
      </span>
    </p>
  );
}

interface ProgressProps extends TabProps {
  readonly ownCount: number | null;
  readonly held: readonly HeldLabel[];
  readonly status: string;
  readonly onUndo: () => void;
}

export function Progress({ facts, held, onUndo, ownCount, place, status, visitor }: ProgressProps) {
  const { value } = useLoad(`${facts.here.recordCount}`, () => getStatistics(visitor.reader, place));
  const last = held.at(-1);
  const isDone = value === undefined ? 0 : value.states.accepted + value.states.leftOut;
  const agreement = value?.labelling.agreement.value ?? null;
  const gold = value?.labelling.labellers.find(({ leafId }) => leafId === visitor.account?.id)?.gold;
  return (
    <section class="card stack" aria-label="Progress">
      <div class="label-figures">
        <div>
          <p class="figure">{ownCount === null ? "–" : showCount(ownCount)}</p>
          <p class="soft small">your labels</p>
        </div>
        <div>
          <p class="figure">{agreement === null ? "–" : agreement.toFixed(2)}</p>
          <p class="soft small">{AGREEMENT}</p>
        </div>
      </div>
      {value !== undefined && value.rowCount > 0 && (
        <div>
          <progress
            class="label-progress"
            value={isDone}
            max={value.rowCount}
            aria-label="Rows that are settled"
          />
          <p class="soft small">
            {showCount(isDone)} of {showCount(value.rowCount)} rows settled
            {value.states.disputed > 0 && `, ${showCount(value.states.disputed)} disputed`}
          </p>
        </div>
      )}
      {gold !== undefined && gold.right + gold.wrong > 0 && (
        <p class="soft small">
          {gold.right} of {gold.right + gold.wrong} gold rows correct
        </p>
      )}
      <p class="small" role="status">
        {status}
      </p>
      <Button isSmall isDisabled={last === undefined} onClick={onUndo}>
        <KeyHint name="u" /> {last === undefined ? "Nothing to undo" : `Undo “${last.label}”`}
      </Button>
      <p class="soft small">
        You can undo your last labels for a few seconds, until they are signed and sent.
      </p>
    </section>
  );
}
