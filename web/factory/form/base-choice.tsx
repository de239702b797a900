/** Page "#/factory/new": a model builder chooses the base model of a new job, or names the address of another. */
import type { FactoryBase } from "@openledger/models/factory/factory-api";
import { Badge } from "../../design/badge.tsx";
import { FactList } from "../../design/fact-list.tsx";
import { showCount } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { dataHref } from "../factory-links.ts";
import type { FactorySession } from "../factory-session.ts";
import { ChoiceSteps } from "../jobs/run-steps.tsx";
import { useFactory } from "../use-factory.ts";
import { BaseAddress } from "./base-address.tsx";

/** The first choice: which base model. */
export function BaseChoice({ factorySession }: { factorySession: FactorySession }) {
  const { problem, value } = useFactory("bases", () => factorySession.factory.bases());
  return (
    <>
      <ChoiceSteps at={0} />
      <section class="stack">
        <h1>Choose a base</h1>
        <p class="lead">
          A <Term name="base (of an adapter)">base</Term> has learnt language already. Fine-tuning teaches it
          your style and your facts.
        </p>
      </section>
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="choices">
        {value?.map((base) => (
          <BaseCard key={base.id} base={base} />
        ))}
      </div>
      {factorySession.info.basePlaces.length > 0 && <BaseAddress factorySession={factorySession} />}
    </>
  );
}

const SOURCES = {
  own: "checked by its hash",
  folder: "on the factory's disk",
  address: "from the web",
} as const;

function BaseCard({ base }: { base: FactoryBase }) {
  const { id, layerCount, licence, maxPositions, name, parameterCount, sizeBytes, source } = base;
  const { vocabularySize, width } = base;
  return (
    <a class="choice" href={dataHref(id)}>
      <div class="row">
        <h2>{name}</h2>
        <span class="push" />
        <Badge tone={source === "own" ? "good" : "plain"}>{SOURCES[source]}</Badge>
      </div>
      <p class="figure">
        {showNumbers(parameterCount)} <small>parameters</small>
      </p>
      <FactList
        isSmall
        facts={[
          ["Context", `${showCount(maxPositions)} tokens`],
          ["Layers × width", `${layerCount} × ${showCount(width)}`],
          ["Vocabulary", showCount(vocabularySize)],
          ["Licence", source === "own" ? "this software's" : (licence ?? "not named")],
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
