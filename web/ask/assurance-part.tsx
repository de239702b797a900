/** Part of the Ask page that says how far answer, query and rows of a reply are assured beyond the server's word. */
import { assuranceOfReply } from "@openledger/client/actions/answers/check-answer";
import type { Assurance, ReplyAssurance } from "@openledger/client/actions/answers/model-answers";
import { useEffect, useState } from "preact/hooks";
import { Badge, type Tone } from "../design/badge.tsx";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import { Term } from "../words/term.tsx";
import { type OwnCopy, ownCopy, type ServedModel } from "./served-models.ts";

const TONES: Readonly<Record<Assurance, Tone>> = {
  believed: "wait",
  recomputed: "good",
  proven: "good",
};

const PARTS = [
  ["answer", "The model gives this answer"],
  ["query", "The query matches prompt and answer"],
  ["rows", "The answer pays these rows, by these shares"],
] as const;

export function AssuranceList({ assurance }: { assurance: ReplyAssurance }) {
  return (
    <dl class="facts small" aria-label="How each part is assured">
      {PARTS.flatMap(([part, words]) => [
        <dt key={`${part} name`}>{words}</dt>,
        <dd key={`${part} state`}>
          <Badge tone={TONES[assurance[part]]}>
            <Term name={assurance[part]} />
          </Badge>
        </dd>,
      ])}
    </dl>
  );
}

/** Assurance of the model's replies by the page's own copy; null until that is read. */
export function useAssurance(model: ServedModel): ReplyAssurance | null {
  const copy = useCopy(model);
  // The page always answers again.
  return copy === null ? null : assuranceOfReply(copy, { isAnsweredAgain: true });
}

/** The page loads its copy of the model as soon as the model is looked at; null until it is there. */
export function useCopy(model: ServedModel): OwnCopy | null {
  const [copy, setCopy] = useState<OwnCopy | null>(null);
  useEffect(() => {
    // A copy that cannot be had is told when a question needs it.
    return askUntilAnswered(
      () => ownCopy(model),
      (outcome) => outcome.state === "found" && setCopy(outcome.value),
    );
  }, [model.serverUrl]);
  return copy;
}
