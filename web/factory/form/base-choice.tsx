/** Form section where a model builder chooses the base of a language model, or names the address of another one (use-choice.tsx). */
import type { FactoryBase } from "@openledger/models/factory/factory-api";
import { Badge } from "../../design/badge.tsx";
import { FactList } from "../../design/fact-list.tsx";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { formHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { useFactory } from "../use-factory.ts";
import { BaseAddress } from "./base-address.tsx";
import { OfferedBases } from "./offered-bases.tsx";

interface BaseChoiceProps {
  readonly datasetId: string;
  readonly factorySession: FactorySession;
}

/** Bases that a language model of the rows can begin with. */
export function BaseChoice({ datasetId, factorySession }: BaseChoiceProps) {
  const { problem, value } = useFactory("bases", () => factorySession.factory.bases());
  return (
    <>
      <section class="stack-s">
        <h2>Choose a base model</h2>
        <p class="soft">
          A <Term name="base (of an adapter)">base</Term> has already learned language. Fine-tuning teaches it
          your style and your facts.
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="choices">
        {value?.map((base) => (
          <BaseCard key={base.id} base={base} datasetId={datasetId} />
        ))}
      </div>
      <OfferedBases datasetId={datasetId} factorySession={factorySession} />
      {factorySession.info.basePlaces.length > 0 && (
        <BaseAddress datasetId={datasetId} factorySession={factorySession} />
      )}
    </>
  );
}

/** Smaller bases hold no facts, and few sentences of theirs make sense. */
const FEW_PARAMETERS = 50_000_000;

const SOURCES = {
  own: "included, checked by its hash",
  folder: "on the factory's disk",
  address: "downloaded",
} as const;

function BaseCard({ base, datasetId }: { base: FactoryBase; datasetId: string }) {
  const { id, layerCount, licence, maxPositions, name, parameterCount, sizeBytes, source } = base;
  const { vocabularySize, width } = base;
  return (
    <a class="choice" href={formHref(datasetId, id)}>
      <div class="row">
        <h3>{name}</h3>
        <span class="push" />
        <Badge tone={source === "own" ? "good" : "plain"}>{SOURCES[source]}</Badge>
      </div>
      <p class="figure">
        {showNumbers(parameterCount)} <small>parameters</small>
      </p>
      {parameterCount < FEW_PARAMETERS && (
        <p class="soft small">
          {source === "own" ? "For trials and for answers that are said from your rows" : "Of this size"}:
          what it writes has their style, in English, and knows no facts.
        </p>
      )}
      <FactList
        isSmall
        facts={[
          ["Context", `${showCount(maxPositions)} tokens`],
          ["Layers × width", `${layerCount} × ${showCount(width)}`],
          ["Vocabulary", showCount(vocabularySize)],
          ["Licence", source === "own" ? "that of this software" : (licence ?? "not stated")],
          ["On disk", `${showCount(Math.ceil(sizeBytes / 1e6))} MB`],
        ]}
      />
      <span class="button">Choose</span>
    </a>
  );
}

/** 3,700,000 → "3.7 M". */
function showNumbers(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} M` : showCount(count);
}
