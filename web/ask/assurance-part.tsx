/** How far each part of a reply is more than its server's word. */
import type { Assurance, ReplyAssurance } from "@openledger/client/actions/answers/model-answers";
import { signal } from "@preact/signals";
import { Badge, type Tone } from "../design/badge.tsx";
import { Choice } from "../design/choice.tsx";
import { Term } from "../words/term.tsx";

const TONES: Readonly<Record<Assurance, Tone>> = {
  believed: "wait",
  recomputed: "good",
  disputable: "info",
  proven: "good",
};

const PARTS = [
  ["answer", "The answer is the model's"],
  ["query", "What it looks for in the rows"],
  ["rows", "What the rows are worth to it"],
] as const;

export function AssuranceList({ assurance }: { assurance: ReplyAssurance }) {
  return (
    <dl class="facts small" aria-label="How sure each part is">
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

const KEPT = "openledger.least-rows";

/** The least that this browser's reader pays for, of the rows: of answer and query the page checks enough itself. */
export const leastRows = signal<Assurance>(
  localStorage.getItem(KEPT) === "disputable" ? "disputable" : "believed",
);

export function LeastChoice() {
  return (
    <Choice<"believed" | "disputable">
      label="Pay only where the rows' values are"
      value={leastRows.value === "disputable" ? "disputable" : "believed"}
      onChoose={(least) => {
        localStorage.setItem(KEPT, least);
        leastRows.value = least;
      }}
      options={[
        { name: "believed", label: "believed or better (any model)" },
        { name: "disputable", label: "disputable or better: anyone can refute them on Ethereum" },
      ]}
    />
  );
}
