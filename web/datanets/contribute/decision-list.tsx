/** Places where files admit several readings: open ones as questions above the preview, the others as a list that opens. */
import {
  type Choices,
  type Decision,
  type DecisionKind,
  decisionKey,
  decisionSubject,
  decisionText,
} from "@openledger/datanets/import/decision";
import { Choice } from "../../design/choice.tsx";
import { showCounted } from "../../words/format.ts";

interface DecisionListProps {
  readonly decisions: readonly Decision[];
  readonly choices: Choices;
  /** Takes the choices as they become, with which the files are read again. */
  readonly onChoose: (choices: Choices, kind: DecisionKind) => void;
}

/** What a person is asked, by kinds: the subject below says of what. */
const QUESTIONS: Readonly<Record<DecisionKind, string>> = {
  "category-twins": "Are these one category?",
  "columns-left-out": "Is this column of use?",
  "comment-lines": "Are these comments?",
  "conversation-turns": "Which turns are the row?",
  "date-form": "Which number is the day?",
  encoding: "How are the letters encoded?",
  "first-line": "What is the first line?",
  "label-source": "Where is the label?",
  "label-twins": "Are these one label?",
  language: "Which languages are the rows in?",
  "missing-and-twins": "Which values are missing, and which are one?",
  "missing-values": "Is this a missing value?",
  "number-and-date-forms": "How are numbers and dates written?",
  "number-marks": "Thousands or decimals?",
  "paragraph-heads": "Are these heads of the pages?",
  "picture-column": "Which pictures are the rows?",
  "row-unit": "What is one row?",
  separator: "What separates the fields?",
  sheet: "Which sheet has the table?",
  "split-folders": "Are these folders labels?",
  "tool-records": "Which tool wrote these records?",
};

/** Kinds about values, of which every reading has the same columns: what was chosen of columns stays. */
const OF_VALUES: readonly DecisionKind[] = [
  "category-twins",
  "date-form",
  "label-twins",
  "language",
  "missing-and-twins",
  "missing-values",
  "number-and-date-forms",
  "number-marks",
];
export const keepsColumns = (kind: DecisionKind): boolean => OF_VALUES.includes(kind);

/** Value of a select whose question is open. */
const OPEN = "";

export function DecisionList({ choices, decisions, onChoose }: DecisionListProps) {
  const open = decisions.filter(({ isOpen }) => isOpen);
  const others = decisions.filter(({ isOpen }) => !isOpen);
  if (decisions.length === 0) return null;
  const choose = (decision: Decision, name: string) =>
    name !== OPEN && onChoose({ ...choices, [decisionKey(decision)]: name }, decision.kind);
  return (
    <section class="stack" aria-label="How the files are read">
      {open.length > 0 && <h3>How should this be read?</h3>}
      {open.map((decision) => (
        <Choice
          key={decisionKey(decision)}
          label={
            <>
              {QUESTIONS[decision.kind]} <span class="soft">{decisionSubject(decision)}</span>
            </>
          }
          value={OPEN}
          problem="Choose a reading."
          onChoose={(name) => choose(decision, name)}
          options={[{ name: OPEN, label: "choose …" }, ...readingsOf(decision)]}
        />
      ))}
      {others.length > 0 && (
        <details>
          <summary>{showCounted(others.length, "place")} of the files could be read otherwise</summary>
          <div class="folded stack-s">
            {others.map((decision) =>
              decision.others.length === 0 ? (
                <p key={decisionText(decision)} class="small">
                  {decisionText(decision)}
                </p>
              ) : (
                <Choice
                  key={decisionText(decision)}
                  label={decisionSubject(decision)}
                  value={decision.taken.name}
                  onChoose={(name) => choose(decision, name)}
                  options={readingsOf(decision)}
                />
              ),
            )}
          </div>
        </details>
      )}
    </section>
  );
}

const readingsOf = ({ others, taken }: Decision) =>
  [taken, ...others].map(({ name, text }) => ({ name, label: text }));
