/** Places where files admit several readings: open ones as questions above the preview, the others as a list that opens. */
import {
  type Choices,
  type Decision,
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
  readonly onChoose: (choices: Choices) => void;
}

/** Value of a select whose question is open. */
const OPEN = "";

export function DecisionList({ choices, decisions, onChoose }: DecisionListProps) {
  const open = decisions.filter(({ isOpen }) => isOpen);
  const others = decisions.filter(({ isOpen }) => !isOpen);
  if (decisions.length === 0) return null;
  const choose = (decision: Decision, name: string) =>
    name !== OPEN && onChoose({ ...choices, [decisionKey(decision)]: name });
  return (
    <section class="stack" aria-label="How the files are read">
      {open.length > 0 && <h3>How should this be read?</h3>}
      {open.map((decision) => (
        <Choice
          key={decisionKey(decision)}
          label={decisionSubject(decision)}
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
