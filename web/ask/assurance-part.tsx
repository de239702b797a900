/** How far each part of a reply is more than its server's word. */
import {
  type Assurance,
  type CheckedReply,
  type ModelOnL1,
  NOTHING_ON_L1,
  type ReplyAssurance,
} from "@openledger/client/actions/answers/model-answers";
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Badge, type Tone } from "../design/badge.tsx";
import { Choice } from "../design/choice.tsx";
import type { Live } from "../ledger/live.ts";
import { session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";
import { Term } from "../words/term.tsx";
import { findOnL1, type OwnCopy, ownCopy, type ServedModel } from "./served-models.ts";

const TONES: Readonly<Record<Assurance, Tone>> = {
  believed: "wait",
  recomputed: "good",
  disputable: "info",
  proven: "good",
};

const PARTS = [
  ["answer", "The model gives this answer"],
  ["query", "The query fits prompt and answer"],
  ["rows", "The rows' values are computed right"],
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

/** Of replies that this page has checked: it always answers again, and never computes rows. */
const checkedHere = (onL1: ModelOnL1): CheckedReply => ({
  isAnsweredAgain: true,
  areRowsRecomputed: false,
  onL1,
});

interface AssuranceProps {
  readonly site: Site;
  readonly live: Live;
  readonly model: ServedModel;
}

/** Of the model's replies, by the page's own copy and by Ethereum; null until both are read. */
export function useAssurance({ live, model, site }: AssuranceProps): ReplyAssurance | null {
  const copy = useCopy(model);
  const [onL1, setOnL1] = useState<ModelOnL1 | null>(null);
  const rollup = live.info.value?.rollupAddress ?? null;
  const wallet = session.value?.address ?? null;
  useEffect(() => {
    setOnL1(null);
    // Unread is nothing: the client library reads again before it pays.
    if (rollup !== null) findOnL1(site, rollup, model.modelId).then(setOnL1, () => setOnL1(NOTHING_ON_L1));
  }, [rollup, wallet, model.modelId]);
  return copy === null || onL1 === null ? null : copy.assurance(checkedHere(onL1));
}

/** The page loads its copy of the model as soon as the model is looked at; null until it is there. */
export function useCopy(model: ServedModel): OwnCopy | null {
  const [copy, setCopy] = useState<OwnCopy | null>(null);
  useEffect(() => {
    // A copy that cannot be had is told when a question needs it.
    ownCopy(model).then(setCopy, () => undefined);
  }, [model.serverUrl]);
  return copy;
}

const KEPT = "openledger.least-rows";

/** The page recomputes answer and query of every reply; what it cannot compute, Ethereum may have. */
const LEASTS = {
  believed: { least: {}, label: "Any model: I trust its row values" },
  disputable: { least: { rows: "disputable" }, label: "Row values at least disputable on Ethereum" },
  both: {
    least: { query: "disputable", rows: "disputable" },
    label: "Query and row values at least disputable on Ethereum",
  },
} as const satisfies Record<string, { least: Partial<ReplyAssurance>; label: string }>;
type LeastName = keyof typeof LEASTS;

const nameOf = (kept: string | null): LeastName =>
  kept !== null && kept in LEASTS ? (kept as LeastName) : "believed";

const chosen = signal<LeastName>(nameOf(localStorage.getItem(KEPT)));

/** The least that this browser's reader pays for. */
export const leastAccepted = (): Partial<ReplyAssurance> => LEASTS[chosen.value].least;

export function LeastChoice() {
  return (
    <Choice<LeastName>
      label="Pay only for"
      value={chosen.value}
      onChoose={(name) => {
        localStorage.setItem(KEPT, name);
        chosen.value = name;
      }}
      options={(Object.keys(LEASTS) as LeastName[]).map((name) => ({ name, label: LEASTS[name].label }))}
    />
  );
}
